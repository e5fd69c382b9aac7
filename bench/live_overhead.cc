// What tracing a redis-server costs: instructions per request, counted by the emulator, so free of the host's
// noise; and requests per second of the machine's own clock.
//
//   live_overhead [--windows N] [--icount VALUE] [--profile FOLDER] [METHOD...]
//
// METHOD: "hap bpf", "hap ftrace", trace-cmd, function_graph, bpftrace, attach; all of them by default.
//
// The machine has two processors. redis-server has the first to itself; the load (redis-benchmark with 50
// connections), the tracer's own process and everything else have the second, as the clients of a service are
// on other machines. Receive flow steering brings packets for the service to its processor, where a network
// card's interrupt would; what the service sends is received on the other. Instructions are given for the
// service's processor and for the whole machine.
//
// Each method runs in a machine of its own from the same checkpoint, beside an untraced one. hap records with
// its default window length, over at least N windows (10), arming and taking off included; the others have
// one round of requests. The machine's clock is tied to the instructions of both processors together: with
// shift=0, the fastest there is, one instruction takes 1 ns, so two busy processors execute 500 million per
// second each, a small fraction of a real one's, and what is paid by the window weighs accordingly more.
//
// --profile: writes, for each method, what ran where (bench/instruction_count.cc) and the symbols to it.
//
// Prints the table, and what attaching costs against a bare link for the same addresses. Exit 1 when an aim
// is not met.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <sstream>

#include "lab/live_machine.h"
#include "live_methods.h"

namespace {

using namespace hap;

constexpr int requests_per_round = 2000;
constexpr double attach_aim = 1.2;

struct Options {
  int windows = 10;
  std::string icount = "shift=0,sleep=off";
  std::string profile;  // folder, or empty
  std::vector<std::string> methods;
};

struct Cost {
  double service = 0;  // instructions per request on the service's processor
  double machine = 0;  // and on both
  double rate = 0;     // requests per second
  uint64_t requests = 0;
  std::string losses;
};

// Instructions executed up to a mark.
struct Count {
  unsigned executed_by = 0;  // processor of the mark
  uint64_t machine = 0;
  std::vector<uint64_t> processors;
};

// By the mark's argument.
Result<std::map<uint64_t, Count>> read_counts(const std::string& path) {
  HAP_TRY(text, read_file(path));
  std::map<uint64_t, Count> counts;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    uint64_t kind = 0;
    uint64_t argument = 0;
    Count count;
    words >> kind >> argument >> count.executed_by >> count.machine;
    for (uint64_t instructions = 0; words >> instructions;) count.processors.push_back(instructions);
    counts[argument] = std::move(count);
  }
  return counts;
}

std::string script_of(const bench::Method& method) {
  const std::string load =
      "redis-benchmark -p 7777 -c 50 -n " + std::to_string(requests_per_round) + " -t set -q > /dev/null";
  return "set -e\n"
         "taskset -pc 1 $$ > /dev/null\n"
         "echo 32768 > /proc/sys/net/core/rps_sock_flow_entries\n"
         "echo 3 > /sys/class/net/lo/queues/rx-0/rps_cpus\n"
         "echo 4096 > /sys/class/net/lo/queues/rx-0/rps_flow_cnt\n"
         "taskset -c 0 setsid redis-server --port 7777 --save '' --daemonize no > /run/redis.log 2>&1 &\n"
         "for i in $(seq 200); do redis-cli -p 7777 ping 2>/dev/null | grep -q PONG && break; sleep 0.1; "
         "done\n"
         "pid=$(pidof redis-server)\n" +
         load + "\n" + method.start +
         "\nbegin=$(date +%s%N); mark 6 1\n"
         "chunks=0; until " +
         method.enough + "; do " + load + "; chunks=$((chunks + 1)); done\n" +
         "mark 6 2; end=$(date +%s%N); cat /proc/kallsyms > /run/symbols\n" + method.stop +
         "\necho $chunks $((end - begin))\n" + method.losses;
}

class Bench {
 public:
  explicit Bench(const Options& options) : profile_(options.profile) {
    spec_.icount = options.icount;
    spec_.processors = 2;
  }

  Result<Cost> run(const bench::Method& method) {
    HAP_TRY(started, start(profile_.empty() ? "" : profile_ + "/" + method.name + ".profile"));
    auto& machine = *started.machine;
    HAP_CHECK(machine.install_hap());
    HAP_TRY(ran, machine.shell(script_of(method), std::chrono::hours(6)));
    if (ran.status != 0) return Error(method.name + ": " + ran.out + ran.err);
    if (!profile_.empty()) {
      HAP_CHECK(machine.fetch("/run/symbols", profile_ + "/" + method.name + ".symbols"));
    }
    HAP_CHECK(machine.quit());
    HAP_TRY(counts, read_counts(started.folder.file("counts")));
    std::istringstream out(ran.out);
    double chunks = 0;
    double nanoseconds = 0;
    Cost cost;
    out >> chunks >> nanoseconds >> std::ws;
    std::getline(out, cost.losses);
    cost.requests = static_cast<uint64_t>(chunks) * requests_per_round;
    if (cost.requests == 0) return Error(method.name + ": no load: " + ran.out + ran.err);
    const auto per_request = [&](uint64_t begin, uint64_t end) {
      return static_cast<double>(end - begin) / static_cast<double>(cost.requests);
    };
    // Marks are made on the processor of the load; the service has the other.
    if (counts[1].processors.size() != 2 || counts[1].executed_by != counts[2].executed_by) {
      return Error(method.name + ": no counts of the two processors");
    }
    const size_t service = 1 - counts[1].executed_by;
    cost.service = per_request(counts[1].processors[service], counts[2].processors[service]);
    cost.machine = per_request(counts[1].machine, counts[2].machine);
    cost.rate = static_cast<double>(cost.requests) / nanoseconds * 1e9;
    return cost;
  }

  // Prints what attaching costs; the ratio to a bare link.
  Result<double> attaching() {
    HAP_TRY(started, start(profile_.empty() ? "" : profile_ + "/attach.profile"));
    auto& machine = *started.machine;
    HAP_CHECK(machine.install(HAP_BINARY_DIR "/bench/live_attach"));
    HAP_TRY(ran, machine.shell("live_attach; ended=$?; cat /proc/kallsyms > /run/symbols; exit $ended"));
    if (ran.status != 0) return Error(ran.out + ran.err);
    if (!profile_.empty()) HAP_CHECK(machine.fetch("/run/symbols", profile_ + "/attach.symbols"));
    HAP_CHECK(machine.quit());
    HAP_TRY(counts, read_counts(started.folder.file("counts")));
    const auto between = [&](uint64_t first) {
      return static_cast<double>(counts[first + 1].machine - counts[first].machine) / 1e6;
    };
    const double bare = std::min(between(10), between(14));
    const double collector = std::min(between(12), between(16));
    std::printf(
        "attaching to %d functions, million instructions: a bare link %.0f, the bpf collector %.0f, ratio "
        "%.2f (aim %.2f)\n",
        std::atoi(ran.out.c_str()), bare, collector, collector / bare, attach_aim);
    std::printf(
        "  (twice each: %.0f and %.0f, %.0f and %.0f; the collector's whole start, with finding out what "
        "there is, %.0f)\n",
        between(10), between(14), between(12), between(16), between(30));
    return collector / bare;
  }

 private:
  struct Started {
    TempDir folder;
    std::unique_ptr<testing::LiveMachine> machine;
  };
  // `profile`: file to write, or empty.
  Result<Started> start(const std::string& profile = {}) {
    HAP_TRY(folder, TempDir::create());
    std::string plugin = HAP_COUNT_PLUGIN ",out=" + folder.file("counts");
    if (!profile.empty()) plugin += ",profile=" + profile;
    HAP_TRY(machine, testing::LiveMachine::start(spec_, plugin));
    HAP_TRY(mark, read_file(HAP_MARK_PROGRAM));
    HAP_CHECK(machine->put("/run/mark", mark, 0755));
    return Started{std::move(folder), std::move(machine)};
  }

  std::string profile_;
  lab::LabSpec spec_;
};

Result<bool> compare(const Options& options) {
  Bench bench(options);
  bool met = true;
  Cost untraced;
  const auto wanted = [&](const std::string& name) {
    return options.methods.empty() ||
           std::find(options.methods.begin(), options.methods.end(), name) != options.methods.end();
  };
  std::printf("clock: icount %s; hap with its default window length, at least %d windows\n",
              options.icount.c_str(), options.windows);
  std::printf("instructions per request: of the service's processor, of the whole machine\n");
  std::printf("%-15s %9s %9s %7s %5s %9s %7s %10s %7s  %s\n", "method", "requests", "service", "ratio", "aim",
              "machine", "ratio", "requests/s", "ratio", "lost");
  for (const auto& method : bench::live_methods(options.windows)) {
    if (method.name != "untraced" && !wanted(method.name)) continue;
    const auto cost = bench.run(method);
    if (!cost && method.aim != 0) return cost.error();
    if (!cost) {  // somebody else's tracer: a line of the table all the same
      std::printf("%-15s failed: %s\n", method.name.c_str(), cost.error().to_string().c_str());
      continue;
    }
    if (method.name == "untraced") untraced = *cost;
    const double ratio = cost->service / untraced.service;
    if (method.aim != 0 && ratio > method.aim) met = false;
    char aim[16] = "-";
    if (method.aim != 0) std::snprintf(aim, sizeof aim, "%.2f", method.aim);
    std::printf("%-15s %9llu %9.0f %7.3f %5s %9.0f %7.3f %10.0f %7.3f  %s\n", method.name.c_str(),
                static_cast<unsigned long long>(cost->requests), cost->service, ratio, aim, cost->machine,
                cost->machine / untraced.machine, cost->rate, cost->rate / untraced.rate,
                cost->losses.c_str());
    std::fflush(stdout);
  }
  if (wanted("attach")) {
    HAP_TRY(ratio, bench.attaching());
    if (ratio > attach_aim) met = false;
  }
  return met;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--windows" && i + 1 < argc) {
      options.windows = std::atoi(argv[++i]);
    } else if (argument == "--icount" && i + 1 < argc) {
      options.icount = argv[++i];
    } else if (argument == "--profile" && i + 1 < argc) {
      options.profile = argv[++i];
    } else if (argument.rfind("-", 0) == 0) {
      std::fprintf(stderr,
                   "usage: live_overhead [--windows N] [--icount VALUE] [--profile FOLDER] [METHOD...]\n");
      return 2;
    } else {
      options.methods.push_back(argument);
    }
  }
  const auto met = compare(options);
  if (!met) {
    std::fprintf(stderr, "live_overhead: %s\n%s\n", met.error().to_string().c_str(),
                 met.error().hint().c_str());
    return 1;
  }
  return *met ? 0 : 1;
}
