// Builds the symbol indexes of a kernel and its modules and prints what it cost:
//
//   resolve_index_build_bench VMLINUX [MODULE.ko ...] -o FOLDER [--no-complexity] [--user] [--list FILE]
//
// --list writes the out-of-line functions of the first image (name, file, line, end line, complexity,
// separated by tabs), for bench/resolve_source_complexity.py. Modules are built two at a time. Peak memory is
// that of the whole process.
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "hap/resolver.h"

namespace {

struct Arguments {
  std::vector<std::string> files;
  std::string folder;
  std::string list;
  bool complexity = true;
  bool user = false;
};

Arguments parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "-o" && i + 1 < argc) {
      arguments.folder = argv[++i];
    } else if (word == "--list" && i + 1 < argc) {
      arguments.list = argv[++i];
    } else if (word == "--no-complexity") {
      arguments.complexity = false;
    } else if (word == "--user") {
      arguments.user = true;
    } else {
      arguments.files.push_back(word);
    }
  }
  return arguments;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void write_list(const std::string& index_file, const std::string& list) {
  const auto index = hap::Index::open(index_file);
  if (!index) return;
  std::ofstream out(list);
  for (hap::FunctionId id = 0; id < index->function_count(); ++id) {
    const auto function = index->function(id);
    if (!function.out_of_line || !function.lines) continue;
    out << function.name << '\t' << function.file << '\t' << function.line << '\t' << function.end_line
        << '\t' << function.complexity.value_or(0) << '\n';
  }
}

std::string build(const Arguments& arguments, std::size_t i, unsigned threads) {
  const std::string& file = arguments.files[i];
  const auto start = std::chrono::steady_clock::now();
  hap::ElfInputs inputs;
  inputs.elf = file;
  const bool module = file.ends_with(".ko") || file.ends_with(".o");
  inputs.kind = arguments.user ? hap::ImageKind::user
                : module       ? hap::ImageKind::module
                               : hap::ImageKind::kernel;
  inputs.complexity = arguments.complexity;
  inputs.threads = threads;
  const auto id = hap::read_build_id(file);
  if (!id) return id.error().to_string();
  const auto stats = hap::build_index(inputs, hap::index_path(arguments.folder, *id));
  if (!stats) return stats.error().to_string();
  if (i == 0 && !arguments.list.empty()) write_list(hap::index_path(arguments.folder, *id), arguments.list);
  if (arguments.files.size() <= 8 || i == 0) {
    std::printf(
        "%s\n  %.2f s, %.1f MB: %lu functions (%lu out of line, %lu with complexity), %lu rows, %lu lines, "
        "%lu inlined calls, %lu files, %lu symbols, %lu calls\n",
        file.c_str(), seconds_since(start), static_cast<double>(stats->file_bytes) / 1e6, stats->functions,
        stats->out_of_line, stats->with_complexity, stats->line_rows, stats->lines, stats->inline_instances,
        stats->files, stats->symbols, stats->call_edges);
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  const Arguments arguments = parse(argc, argv);
  if (arguments.files.empty() || arguments.folder.empty()) {
    std::fprintf(stderr,
                 "usage: %s VMLINUX [MODULE.ko ...] -o FOLDER [--no-complexity] [--user] [--list FILE]\n",
                 argv[0]);
    return 2;
  }
  const auto start = std::chrono::steady_clock::now();
  std::atomic<int> failures{0};
  const auto report = [&](const std::string& file, const std::string& error) {
    if (error.empty()) return;
    std::fprintf(stderr, "%s: %s\n", file.c_str(), error.c_str());
    ++failures;
  };
  report(arguments.files[0], build(arguments, 0, 2));
  std::atomic<std::size_t> next{1};
  const auto work = [&] {
    for (std::size_t i = next++; i < arguments.files.size(); i = next++) {
      report(arguments.files[i], build(arguments, i, 1));
    }
  };
  {
    std::jthread other(work);
    work();
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf("%zu images: %.2f s wall, %.2f s CPU, peak memory %.0f MiB\n", arguments.files.size(),
              seconds_since(start),
              static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                  static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6,
              static_cast<double>(usage.ru_maxrss) / 1024);
  return failures == 0 ? 0 : 1;
}
