// Host CPU time per redis request with the emulator's plugin recording, against that without a plugin; and,
// for what of it is the interface's own, with a plugin that has an empty function called before every block,
// and with one that has generated code test a word of the block's own and never calls.
//
//   emulator_overhead [ROUNDS] [REQUESTS]      10 rounds of 8,000 SETs by default
//
// A round starts four machines from the same checkpoint of the lab, one of each kind, which then serve by
// turns, a thousand SETs each time: hosts change their speed within seconds, and so it falls on all alike.
// The clock is QEMU's own CPU time (user and system) around the load alone, with redis-server started and
// warm. A round's ratio is the mean of those of its turns, on the logarithms. Prints each round, and the mean
// ratios with their one-sided upper 95 % bounds (Student's t on the logarithms of the rounds' ratios). Exit 1
// when hapmeter's bound is above the limit of 1.15.
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <numeric>
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
constexpr int requests_per_turn = 1000;

// Of all threads of the process, in user space and kernel.
Result<double> cpu_seconds(pid_t pid) {
  clockid_t clock{};
  if (const int error = ::clock_getcpuclockid(pid, &clock); error != 0) {
    return Error::from_errno("no CPU clock of process " + std::to_string(pid), error);
  }
  timespec now{};
  if (::clock_gettime(clock, &now) != 0) {
    return Error::from_errno("cannot read the CPU clock of process " + std::to_string(pid), errno);
  }
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

// A machine with redis-server started and warm.
class Server {
 public:
  // `plugin`: "" for none.
  static Result<Server> start(const lab::Lab& lab, const std::string& plugin) {
    lab::StartOptions options;
    if (!plugin.empty()) options.arguments = {"-plugin", plugin};
    const CancelToken cancel;
    HAP_TRY(machine, lab::start_machine(lab, options, cancel));
    HAP_TRY(marked, read_file(HAP_MARKED_PROGRAM));
    HAP_TRY(written,
            machine.call("write_file", {{"path", "/run/marked"}, {"mode", 0755}}, cancel, 1min, marked));
    (void)written;
    Server server(std::move(machine));
    HAP_CHECK(
        server.shell("redis-server --port 7777 --save '' --daemonize yes >/dev/null; sleep 1; "
                     "redis-benchmark -p 7777 -c 1 -n 1500 -t set -q >/dev/null"));
    HAP_TRY(warm, server.turn());
    (void)warm;
    return server;
  }

  // Serves `requests_per_turn`; microseconds of host CPU per request.
  Result<double> turn() {
    HAP_TRY(before, cpu_seconds(machine_.pid()));
    HAP_CHECK(shell("exec /run/marked redis-benchmark -p 7777 -c 1 -t set -q -n " +
                    std::to_string(requests_per_turn)));
    HAP_TRY(after, cpu_seconds(machine_.pid()));
    return (after - before) / requests_per_turn * 1e6;
  }

  Status quit() { return machine_.quit(CancelToken()); }

 private:
  explicit Server(lab::Machine machine) : machine_(std::move(machine)) {}

  Status shell(const std::string& command) {
    HAP_TRY(reply, machine_.call("exec", {{"argv", {"sh", "-c", command}}}, CancelToken(), 10min));
    if (reply.body.value("status", -1) != 0) return Error("the load failed: " + reply.body.dump());
    return {};
  }

  lab::Machine machine_;
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

struct Kind {
  const char* name;
  std::string plugin;          // argument of QEMU's -plugin
  std::vector<double> ratios;  // to no plugin, by round
};

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// One round; adds a ratio to each kind.
Status run_round(const lab::Lab& lab, int turns, std::vector<Kind>& kinds) {
  HAP_TRY(without, Server::start(lab, ""));
  std::vector<Server> servers;
  for (const Kind& kind : kinds) {
    HAP_TRY(server, Server::start(lab, kind.plugin));
    servers.push_back(std::move(server));
  }
  std::vector<double> bare;                              // microseconds, by turn
  std::vector<std::vector<double>> cost(kinds.size());   // by kind and turn
  std::vector<std::vector<double>> ratio(kinds.size());  // logarithms
  for (int turn = 0; turn < turns; ++turn) {
    HAP_TRY(reference, without.turn());
    bare.push_back(reference);
    for (size_t i = 0; i < kinds.size(); ++i) {
      HAP_TRY(seen, servers[i].turn());
      cost[i].push_back(seen);
      ratio[i].push_back(std::log(seen / reference));
    }
  }
  std::printf("without %7.1f us", mean_of(bare));
  for (size_t i = 0; i < kinds.size(); ++i) {
    kinds[i].ratios.push_back(std::exp(mean_of(ratio[i])));
    std::printf("  %s %7.1f us (%.3f)", kinds[i].name, mean_of(cost[i]), kinds[i].ratios.back());
    HAP_CHECK(servers[i].quit());
  }
  std::printf("\n");
  std::fflush(stdout);
  return without.quit();
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
  std::vector<Kind> kinds = {{"empty calls", HAP_EMPTY_CALLS, {}},
                             {"tests alone", HAP_EMPTY_CALLS ",conditional=on", {}},
                             {"hapmeter", plugin, {}}};
  for (int round = 0; round < rounds; ++round) {
    std::printf("round %2d  ", round + 1);
    HAP_CHECK(run_round(lab, std::max(1, requests / requests_per_turn), kinds));
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
  const int requests = argc > 2 ? std::atoi(argv[2]) : 8000;
  if (rounds < 2 || requests < requests_per_turn) {
    std::fprintf(stderr, "usage: emulator_overhead [ROUNDS >= 2] [REQUESTS >= 1000]\n");
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
