// Host CPU time per redis request with the emulator's plugin recording, against that without a plugin.
//
//   emulator_overhead [PAIRS] [REQUESTS]      10 pairs of 3,000 SETs by default
//
// Every run starts from the same checkpoint of the lab; runs with and without the plugin alternate, so that
// what else the host does falls on both. The clock is QEMU's own CPU time (user and system) around the load
// alone, with redis-server started and warm. Prints each pair and the mean ratio with its one-sided upper 95
// % bound (Student's t on the logarithms of the ratios). Exit 1 when the bound is above the limit of 1.15.
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
  Overhead(const lab::Lab& lab, std::string plugin, int requests)
      : lab_(lab), plugin_(std::move(plugin)), requests_(requests) {}

  // Microseconds of host CPU per request.
  Result<double> measure(bool with_plugin) {
    lab::StartOptions options;
    if (with_plugin) options.arguments = {"-plugin", plugin_};
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
  std::string plugin_;
  int requests_;
  CancelToken cancel_;
};

// One-sided 95 % quantile of Student's t.
double t95(size_t freedom) {
  static constexpr double table[] = {6.314, 2.920, 2.353, 2.132, 2.015, 1.943, 1.895, 1.860, 1.833, 1.812,
                                     1.796, 1.782, 1.771, 1.761, 1.753, 1.746, 1.740, 1.734, 1.729, 1.725};
  return freedom == 0 ? INFINITY : freedom <= std::size(table) ? table[freedom - 1] : 1.70;
}

Result<double> upper_bound(int pairs, int requests) {
  NoProgress progress;
  const CancelToken cancel;
  HAP_TRY(lab, lab::open_lab({}, progress, cancel));
  HAP_TRY(folder, TempDir::create());
  HAP_TRY(report, collect::write_hooks(lab.checkpoint.file(lab::kKallsyms), lab.checkpoint.file(lab::kBtf),
                                       folder.file("hooks")));
  (void)report;
  HAP_TRY(plugin, collect::qemu_plugin_argument(HAP_PLUGIN, folder.file("hooks"), folder.file("stream")));
  Overhead overhead(lab, plugin, requests);
  std::vector<double> logs;
  double sum = 0;
  for (int pair = 0; pair < pairs; ++pair) {
    HAP_TRY(without, overhead.measure(false));
    HAP_TRY(with, overhead.measure(true));
    logs.push_back(std::log(with / without));
    sum += logs.back();
    std::printf("pair %2d  without %7.1f us  with %7.1f us  ratio %.3f\n", pair + 1, without, with,
                with / without);
    std::fflush(stdout);
  }
  const double mean = sum / static_cast<double>(logs.size());
  double squares = 0;
  for (const double value : logs) squares += (value - mean) * (value - mean);
  const double error =
      std::sqrt(squares / static_cast<double>(logs.size() - 1) / static_cast<double>(logs.size()));
  const double bound = std::exp(mean + t95(logs.size() - 1) * error);
  std::printf("emulator_overhead: mean ratio %.3f, upper 95 %% bound %.3f (limit %.2f)\n", std::exp(mean),
              bound, limit);
  return bound;
}

}  // namespace

int main(int argc, char** argv) {
  const int pairs = argc > 1 ? std::atoi(argv[1]) : 10;
  const int requests = argc > 2 ? std::atoi(argv[2]) : 3000;
  if (pairs < 2 || requests < 100) {
    std::fprintf(stderr, "usage: emulator_overhead [PAIRS >= 2] [REQUESTS >= 100]\n");
    return 2;
  }
  const auto bound = upper_bound(pairs, requests);
  if (!bound) {
    std::fprintf(stderr, "emulator_overhead: %s\n%s\n", bound.error().to_string().c_str(),
                 bound.error().hint().c_str());
    return 1;
  }
  return *bound <= limit ? 0 : 1;
}
