#include "lab/apt_sources.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <sstream>

#include "base/file.h"
#include "base/subprocess.h"
#include "lab/step.h"

namespace hap::lab {
namespace {

namespace fs = std::filesystem;

constexpr const char* kKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

std::vector<std::string> words(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> result;
  for (std::string word; stream >> word;) result.push_back(word);
  return result;
}

std::string without_comment(const std::string& line) {
  return line.substr(0, line.find('#'));
}

std::string trimmed(const std::string& text) {
  size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c); });
  return text;
}

bool is_file_path(const std::string& text) {
  return !text.empty() && text[0] == '/';
}

void add_stanza(const std::map<std::string, std::string>& fields, std::vector<AptSource>& sources) {
  auto field = [&](const char* name) {
    auto found = fields.find(name);
    return found == fields.end() ? std::string() : found->second;
  };
  auto types = words(field("types"));
  if (std::find(types.begin(), types.end(), "deb") == types.end() || lower(trimmed(field("enabled"))) == "no")
    return;
  // An embedded key instead of a file cannot be handed on; the caller's keyring is used.
  std::string key = trimmed(field("signed-by"));
  if (!is_file_path(key)) key.clear();
  for (const auto& uri : words(field("uris"))) {
    for (const auto& suite : words(field("suites"))) {
      sources.push_back({uri, suite, words(field("components")), key});
    }
  }
}

// `suite` with the part behind the release name that says which archive of the release it is, or nothing
// when it is not an archive of `host_suite` that we want.
std::string mapped_suite(const std::string& configured, const std::string& host_suite,
                         const std::string& suite) {
  if (configured == host_suite) return suite;
  for (const char* archive : {"-updates", "-security"}) {
    if (configured == host_suite + archive) return suite + archive;
  }
  return "";
}

std::string os_release_value(const std::string& text, const std::string& key) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind(key + "=", 0) != 0) continue;
    std::string value = line.substr(key.size() + 1);
    value.erase(std::remove(value.begin(), value.end(), '"'), value.end());
    return value;
  }
  return "";
}

struct AptFolders {
  std::string list = "/etc/apt/sources.list";
  std::string parts = "/etc/apt/sources.list.d/";
};

// `apt-config shell` prints NAME='value' lines.
AptFolders apt_folders() {
  AptFolders folders;
  auto out = run_checked(
      command({"apt-config", "shell", "LIST", "Dir::Etc::sourcelist/f", "PARTS", "Dir::Etc::sourceparts/d"}),
      std::chrono::seconds(30));
  if (!out) return folders;
  std::istringstream lines(*out);
  for (std::string line; std::getline(lines, line);) {
    size_t begin = line.find("='");
    if (begin == std::string::npos || line.size() < begin + 3) continue;
    std::string value = line.substr(begin + 2, line.size() - begin - 3);
    (line[0] == 'L' ? folders.list : folders.parts) = value;
  }
  return folders;
}

std::vector<AptSource> configured_sources() {
  AptFolders folders = apt_folders();
  std::vector<AptSource> sources;
  auto add = [&](std::vector<AptSource> more) { sources.insert(sources.end(), more.begin(), more.end()); };
  if (auto text = read_file(folders.list)) add(parse_one_line_sources(*text));
  std::vector<std::string> files;
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(folders.parts, ec)) files.push_back(entry.path().string());
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    auto text = read_file(file);
    if (!text) continue;
    if (fs::path(file).extension() == ".sources") add(parse_deb822_sources(*text));
    if (fs::path(file).extension() == ".list") add(parse_one_line_sources(*text));
  }
  return sources;
}

}  // namespace

std::string AptSource::line() const {
  std::string text = "deb [arch=amd64";
  if (!signed_by.empty()) text += " signed-by=" + signed_by;
  text += "] " + uri + " " + suite;
  for (const auto& component : components) text += " " + component;
  return text;
}

std::vector<AptSource> parse_one_line_sources(const std::string& text) {
  std::vector<AptSource> sources;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    line = trimmed(without_comment(line));
    if (line.rfind("deb ", 0) != 0 && line.rfind("deb\t", 0) != 0) continue;
    std::string rest = trimmed(line.substr(4));
    AptSource source;
    if (!rest.empty() && rest[0] == '[') {
      size_t end = rest.find(']');
      if (end == std::string::npos) continue;
      for (const auto& option : words(rest.substr(1, end - 1))) {
        if (option.rfind("signed-by=", 0) == 0) source.signed_by = option.substr(10);
      }
      rest = rest.substr(end + 1);
    }
    auto fields = words(rest);
    if (fields.size() < 3) continue;  // an exact path instead of a suite has no components
    if (!is_file_path(source.signed_by)) source.signed_by.clear();
    source.uri = fields[0];
    source.suite = fields[1];
    source.components.assign(fields.begin() + 2, fields.end());
    sources.push_back(source);
  }
  return sources;
}

std::vector<AptSource> parse_deb822_sources(const std::string& text) {
  std::vector<AptSource> sources;
  std::map<std::string, std::string> fields;
  std::string last;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line[0] == '#') continue;
    if (trimmed(line).empty()) {
      add_stanza(fields, sources);
      fields.clear();
      last.clear();
    } else if (line[0] == ' ' || line[0] == '\t') {
      if (!last.empty()) fields[last] += " " + trimmed(line);
    } else if (size_t colon = line.find(':'); colon != std::string::npos) {
      last = lower(line.substr(0, colon));
      fields[last] = trimmed(line.substr(colon + 1));
    }
  }
  add_stanza(fields, sources);
  return sources;
}

std::vector<AptSource> sources_for_suite(const std::vector<AptSource>& configured,
                                         const std::string& host_suite, const std::string& suite,
                                         const std::string& keyring) {
  std::vector<AptSource> sources;
  for (const auto& source : configured) {
    if (std::find(source.components.begin(), source.components.end(), "main") == source.components.end())
      continue;
    std::string mapped = mapped_suite(source.suite, host_suite, suite);
    // Machines that follow `stable` by name have the same archives.
    if (mapped.empty()) mapped = mapped_suite(source.suite, "stable", suite);
    if (mapped.empty()) continue;
    AptSource wanted{source.uri, mapped, {"main"}, source.signed_by.empty() ? keyring : source.signed_by};
    if (std::find(sources.begin(), sources.end(), wanted) == sources.end()) sources.push_back(wanted);
  }
  // Unstable has neither updates nor security archives of its own.
  if (suite == "sid" || suite == "unstable") {
    std::erase_if(sources, [&](const AptSource& source) { return source.suite != suite; });
  }
  return sources;
}

Result<std::vector<AptSource>> find_sources(const std::string& suite, const std::string& mirror) {
  std::error_code ec;
  if (!fs::exists(kKeyring, ec)) {
    return Error("the keys of the Debian archive are missing", ErrorKind::unsupported)
        .at(kKeyring)
        .hint("install the package debian-archive-keyring");
  }
  if (!mirror.empty()) return std::vector<AptSource>{{mirror, suite, {"main"}, kKeyring}};
  auto release = read_file("/etc/os-release");
  std::string id = release ? os_release_value(*release, "ID") : "";
  std::string codename = release ? os_release_value(*release, "VERSION_CODENAME") : "";
  std::vector<AptSource> sources;
  if (id == "debian" && !codename.empty()) {
    sources = sources_for_suite(configured_sources(), codename, suite, kKeyring);
  }
  bool has_suite =
      std::any_of(sources.begin(), sources.end(), [&](const auto& s) { return s.suite == suite; });
  if (!has_suite) {
    return Error("this machine's apt configuration names no Debian mirror", ErrorKind::unsupported)
        .hint("name one with --mirror");
  }
  return sources;
}

}  // namespace hap::lab
