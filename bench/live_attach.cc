// Runs in the lab machine, for live_overhead: attaches to all functions as the bpf collector does, and by a
// bare link, each twice in turn, with marks around. Marks: 10 + 2i and 11 + 2i around attachment i; even
// attachments are bare links, odd ones the collector's; 30 and 31 around the whole start of the collector,
// with finding out what there is. Prints how many functions the bare link has.
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/unique_fd.h"
#include "collect/bpf/bpf_collector.h"
#include "collect/bpf/entry_links.h"
#include "collect/bpf/function_choice.h"
#include "marks.h"

namespace {

using namespace hap;
using namespace hap::collect;

class NoSink : public HitSink {
 public:
  void hit(uint64_t, ThreadClass, Cause) override {}
  void system_calls(ThreadClass, int32_t, uint64_t) override {}
};

// The least there can be: a program that returns 0, no cookies.
Result<UniqueFd> bare_program() {
  const std::array<bpf_insn, 2> instructions{
      {{BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0}, {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}}};
  bpf_prog_load_opts options;
  std::memset(&options, 0, sizeof(options));
  options.sz = sizeof(options);
  options.expected_attach_type = BPF_TRACE_KPROBE_MULTI;
  const int fd =
      bpf_prog_load(BPF_PROG_TYPE_KPROBE, "bare", "GPL", instructions.data(), instructions.size(), &options);
  if (fd < 0) return Error::from_errno("loading the bare program", errno);
  return UniqueFd(fd);
}

Status attach_bare(int program, const std::vector<unsigned long>& places, uint64_t first_mark) {
  bpf_link_create_opts options;
  std::memset(&options, 0, sizeof(options));
  options.sz = sizeof(options);
  options.kprobe_multi.cnt = static_cast<uint32_t>(places.size());
  options.kprobe_multi.addrs = places.data();
  bench::mark(first_mark);
  const UniqueFd link(bpf_link_create(program, 0, BPF_TRACE_KPROBE_MULTI, &options));
  bench::mark(first_mark + 1);
  if (!link.valid()) return Error::from_errno("the bare link", errno);
  return {};
}

Status attach_as_collector(const FunctionChoice& choice, uint64_t first_mark) {
  HAP_TRY(program, KernelProgram::load(choice.addresses, choice.companions));
  bench::mark(first_mark);
  HAP_CHECK(program.attach_companions());
  const auto make_link = kprobe_multi_links(program.entry_program(), choice.addresses);
  std::vector<AttachResult> results;
  for (const auto& functions : choice.first_links()) {
    HAP_TRY(attached, attach_all(functions, make_link));
    results.push_back(std::move(attached));
  }
  bench::mark(first_mark + 1);
  for (const auto& attached : results) {
    if (!attached.refused.empty()) return Error("functions were refused");
  }
  return {};
}

Status compare() {
  HAP_TRY(choice, choose_functions());
  std::vector<unsigned long> places;
  for (const uint32_t function : choice.attachable) places.push_back(choice.addresses[function]);
  HAP_TRY(bare, bare_program());
  for (uint64_t round = 0; round < 2; ++round) {
    HAP_CHECK(attach_bare(bare.get(), places, 10 + 4 * round));
    HAP_CHECK(attach_as_collector(choice, 12 + 4 * round));
  }
  NoSink sink;
  LiveScope scope;
  scope.threads.push_back({::getpid(), ::getpid(), ThreadClass::application});
  const auto collector = make_bpf_collector();
  bench::mark(30);
  HAP_CHECK(collector->start(scope, sink));
  bench::mark(31);
  HAP_TRY(stats, collector->stop());
  (void)stats;
  std::printf("%zu\n", places.size());
  return {};
}

}  // namespace

int main() {
  const auto done = compare();
  if (!done) std::fprintf(stderr, "live_attach: %s\n", done.error().to_string().c_str());
  return done ? 0 : 1;
}
