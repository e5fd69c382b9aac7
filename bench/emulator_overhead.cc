// Host CPU time per redis request with the emulator's plugin recording, against that without a plugin; and,
// for what of it is the interface's own, with a plugin that has an empty function called before every block,
// and with one that has generated code test a word of the block's own and never calls.
//
//   emulator_overhead [ROUNDS] [REQUESTS]      10 rounds of 3,000 SETs by default
//
// Every run starts from the same checkpoint of the lab; the four kinds of run alternate, so that what else
// the host does falls on all. The clock is QEMU's own CPU time (user and system) around the load alone, with
// redis-server started and warm. Prints each round and the mean ratios with their one-sided upper 95 % bounds
// (Student's t on the logarithms of the ratios). Exit 1 when hapmeter's bound is above the limit of 1.15.
#include <unistd.h>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/temp_dir.h"
#include "collect/emulator/emulator_collector.h"
#include "lab/lab.h"

namespace {

using namespace hap;
using namespace std::chrono_literals;

constexpr double limit = 1.15;

Result<double> cpu_seconds(pid_t pid) {
  HAP_TRY(text, read_file("/proc/" + std::to_string(pid) + "/stat"));
  std::vector<std::string> fields;
  std::string field;
  for (const char c : text.substr(text.rfind(')') + 2)) {
    if (c != ' ') {
      field += c;
      continue;
    }
    fields.push_back(field);
    field.clear();
  }
  return (std::stod(fields[11]) + std::stod(fields[12])) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

class Overhead {
 public:
  Overhead(const lab::Lab& lab, int requests) : lab_(lab), requests_(requests) {}

  // Microseconds of host CPU per request with that plugin ("": none).
  Result<double> measure(const std::string& plugin) {
    lab::StartOptions options;
    if (!plugin.empty()) options.arguments = {"-plugin", plugin};
    HAP_TRY(machine, lab::start_machine(lab_, options, cancel_));
    HAP_TRY(marked, read_file(HAP_MARKED_PROGRAM));
    HAP_TRY(written,
            machine.call("write_file", {{"path", "/run/marked"}, {"mode", 0755}}, cancel_, 1min, marked));
    (void)written;
    HAP_CHECK(shell(machine,
                    "redis-server --port 7777 --save '' --daemonize yes >/dev/null; sleep 1; "
                    "redis-benchmark -p 7777 -c 1 -n 1500 -t set -q >/dev/null"));
    HAP_TRY(before, cpu_seconds(machine.pid()));
    HAP_CHECK(shell(
        machine, "exec /run/marked redis-benchmark -p 7777 -c 1 -t set -q -n " + std::to_string(requests_)));
    HAP_TRY(after, cpu_seconds(machine.pid()));
    HAP_CHECK(machine.quit(cancel_));
    return (after - before) / requests_ * 1e6;
  }

 private:
  Status shell(lab::Machine& machine, const std::string& command) {
    HAP_TRY(reply, machine.call("exec", {{"argv", {"sh", "-c", command}}}, cancel_, 10min));
    if (reply.body.value("status", -1) != 0) return Error("the load failed: " + reply.body.dump());
    return {};
  }

  const lab::Lab& lab_;
  int requests_;
  CancelToken cancel_;
};

// One-sided 95 % quantile of Student's t.
double t95(size_t freedom) {
  static constexpr double table[] = {6.314, 2.920, 2.353, 2.132, 2.015, 1.943, 1.895, 1.860, 1.833, 1.812,
                                     1.796, 1.782, 1.771, 1.761, 1.753, 1.746, 1.740, 1.734, 1.729, 1.725};
  return freedom == 0 ? INFINITY : freedom <= std::size(table) ? table[freedom - 1] : 1.70;
}

struct Estimate {
  double mean = 0;
  double bound = 0;  // one-sided, 95 %
};

Estimate estimate_of(const std::vector<double>& ratios) {
  double mean = 0;
  for (const double ratio : ratios) mean += std::log(ratio) / static_cast<double>(ratios.size());
  double squares = 0;
  for (const double ratio : ratios) squares += (std::log(ratio) - mean) * (std::log(ratio) - mean);
  const double error =
      std::sqrt(squares / static_cast<double>(ratios.size() - 1) / static_cast<double>(ratios.size()));
  return {std::exp(mean), std::exp(mean + t95(ratios.size() - 1) * error)};
}

Result<Estimate> overhead(int rounds, int requests) {
  NoProgress progress;
  const CancelToken cancel;
  HAP_TRY(lab, lab::open_lab({}, progress, cancel));
  HAP_TRY(folder, TempDir::create());
  HAP_TRY(report, collect::write_hooks(lab.checkpoint.file(lab::kKallsyms), lab.checkpoint.file(lab::kBtf),
                                       folder.file("hooks")));
  (void)report;
  HAP_TRY(plugin, collect::qemu_plugin_argument(HAP_PLUGIN, folder.file("hooks"), folder.file("stream")));
  Overhead overhead(lab, requests);
  struct Kind {
    const char* name;
    std::string plugin;
    std::vector<double> ratios;
  };
  Kind kinds[] = {{"empty calls", HAP_EMPTY_CALLS, {}},
                  {"tests alone", HAP_EMPTY_CALLS ",conditional=on", {}},
                  {"hapmeter", plugin, {}}};
  for (int round = 0; round < rounds; ++round) {
    HAP_TRY(without, overhead.measure(""));
    std::printf("round %2d  without %7.1f us", round + 1, without);
    for (Kind& kind : kinds) {
      HAP_TRY(with, overhead.measure(kind.plugin));
      kind.ratios.push_back(with / without);
      std::printf("  %s %7.1f us (%.3f)", kind.name, with, kind.ratios.back());
      std::fflush(stdout);
    }
    std::printf("\n");
  }
  Estimate whole;
  for (const Kind& kind : kinds) {
    whole = estimate_of(kind.ratios);
    std::printf("%s: mean ratio %.3f, upper 95 %% bound %.3f\n", kind.name, whole.mean, whole.bound);
  }
  std::printf("emulator_overhead: upper 95 %% bound %.3f (limit %.2f)\n", whole.bound, limit);
  return whole;
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 10;
  const int requests = argc > 2 ? std::atoi(argv[2]) : 3000;
  if (rounds < 2 || requests < 100) {
    std::fprintf(stderr, "usage: emulator_overhead [ROUNDS >= 2] [REQUESTS >= 100]\n");
    return 2;
  }
  const auto seen = overhead(rounds, requests);
  if (!seen) {
    std::fprintf(stderr, "emulator_overhead: %s\n%s\n", seen.error().to_string().c_str(),
                 seen.error().hint().c_str());
    return 1;
  }
  return seen->bound <= limit ? 0 : 1;
}
