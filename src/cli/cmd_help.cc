// hap help [TOPIC]: a command's help, or a page about a notion that several commands share.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>

#include "base/file.h"
#include "base/paths.h"
#include "base/text_layout.h"
#include "cli/commands.h"
#include "cli/manual.h"
#include "cli/terminal.h"

namespace hap::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string topic;
  bool man = false;
};

struct Topic {
  std::string name;
  std::string text;
  std::string title() const { return text.substr(0, text.find('\n')); }
};

// The topics are text files of the data folder: topics/NAME.txt, the first line the title.
Result<std::vector<Topic>> load_topics() {
  HAP_TRY(data, data_dir());
  std::vector<Topic> topics;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(fs::path(data) / "topics", code)) {
    if (entry.path().extension() != ".txt") continue;
    HAP_TRY(text, read_file(entry.path().string()));
    topics.push_back({entry.path().stem().string(), text});
  }
  if (code)
    return Error("the help topics are not there: " + code.message())
        .at(data + "/topics")
        .hint("Reinstall hapmeter, or set HAP_DATA_DIR");
  std::sort(topics.begin(), topics.end(), [](const Topic& a, const Topic& b) { return a.name < b.name; });
  return topics;
}

std::string list_of(const std::vector<Topic>& topics) {
  std::string text = "\nTopics (hap help TOPIC):\n";
  for (const auto& topic : topics) {
    text += "  " + topic.name + std::string(topic.name.size() < 32 ? 32 - topic.name.size() : 1, ' ') +
            topic.title() + "\n";
  }
  return text;
}

Result<int> help(CLI::App& app, const Options& options) {
  HAP_TRY(topics, load_topics());
  if (options.topic.empty()) {
    HAP_CHECK(
        print(app.help("", CLI::AppFormatMode::Normal) + folded_lines(list_of(topics), kTextColumns, 34)));
    return exit_done;
  }
  for (const auto& topic : topics) {
    if (topic.name != options.topic) continue;
    HAP_CHECK(
        print(options.man ? topic_page(topic.name, topic.text, HAP_VERSION) : folded_lines(topic.text)));
    return exit_done;
  }
  for (CLI::App* command : app.get_subcommands(nullptr)) {
    if (command->get_name() != options.topic) continue;
    HAP_CHECK(print(command->help("hap")));
    return exit_done;
  }
  std::string known;
  for (const auto& topic : topics) known += (known.empty() ? "" : ", ") + topic.name;
  return Error("there is no help on `" + options.topic + "`", ErrorKind::usage)
      .hint("Give a command (hap --help lists them) or one of the topics " + known);
}

}  // namespace

void add_help(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("help", "Help on a command or a topic");
  command->add_option("topic", options->topic, "A command, or a topic; without it, what there is")
      ->type_name("TOPIC");
  command->add_flag("--man", options->man, "Print a topic as a man page")->group("");
  command->footer(
      "Examples:\n"
      "  hap help\n"
      "  hap help metrics\n"
      "  hap help measure");
  command->callback(
      [options, &app, &session] { session.run = [options, &app] { return help(app, *options); }; });
}

}  // namespace hap::cli
