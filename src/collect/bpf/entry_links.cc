#include "collect/bpf/entry_links.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "collect/bpf/kernel_program.h"

namespace hap::collect {
namespace {

bool out_of_memory(int error) {
  return error == ENOMEM || error == E2BIG;
}

// Errors that say something about a function. Others concern the program or this process.
bool about_a_function(int error) {
  return error == EINVAL || error == ENOENT || error == ESRCH || error == EBUSY || error == EILSEQ;
}

Error attach_error(int error) {
  return refused_by_kernel("attaching to kernel functions", error);
}

// Adds those of `functions` that are refused even alone.
Status find_refused(std::span<const uint32_t> functions, const MakeLink& make_link,
                    std::vector<uint32_t>& refused) {
  const int made = make_link(functions);
  if (made >= 0) {
    const UniqueFd only_tried(made);
    return {};
  }
  if (functions.size() > 1) {
    const size_t half = functions.size() / 2;
    HAP_CHECK(find_refused(functions.first(half), make_link, refused));
    return find_refused(functions.subspan(half), make_link, refused);
  }
  if (!about_a_function(-made)) return attach_error(-made);
  refused.push_back(functions.front());
  return {};
}

Status attach_part(std::span<const uint32_t> functions, const MakeLink& make_link, AttachResult& result) {
  if (functions.empty()) return {};
  const int made = make_link(functions);
  if (made >= 0) {
    result.links.push_back({UniqueFd(made), {functions.begin(), functions.end()}});
    return {};
  }
  if (out_of_memory(-made) && functions.size() > 1) {
    const size_t half = functions.size() / 2;
    HAP_CHECK(attach_part(functions.first(half), make_link, result));
    return attach_part(functions.subspan(half), make_link, result);
  }
  if (!about_a_function(-made)) return attach_error(-made);

  std::vector<uint32_t> refused;
  HAP_CHECK(find_refused(functions, make_link, refused));
  if (refused.empty()) return attach_error(-made);  // each half is welcome, the whole is not
  // Refused by every function alone: it is the kernel that cannot do this at all.
  if (refused.size() == functions.size() && functions.size() > 1) return attach_error(-made);
  std::vector<uint32_t> others;
  std::sort(refused.begin(), refused.end());
  for (const uint32_t function : functions) {
    if (!std::binary_search(refused.begin(), refused.end(), function)) others.push_back(function);
  }
  result.refused.insert(result.refused.end(), refused.begin(), refused.end());
  return attach_part(others, make_link, result);
}

// The beginning of the kernel's struct bpf_link_info for kprobe-multi links. Headers of Linux before 6.7 lack
// `missed`; the kernel fills in what it knows of the length given.
struct KprobeMultiInfo {
  uint32_t type;
  uint32_t id;
  uint32_t program;
  uint32_t padding;
  uint64_t addresses;
  uint32_t count;
  uint32_t flags;
  uint64_t missed;
  std::array<uint64_t, 8> later;
};

}  // namespace

Result<AttachResult> attach_all(std::span<const uint32_t> functions, const MakeLink& make_link) {
  AttachResult result;
  HAP_CHECK(attach_part(functions, make_link, result));
  return result;
}

MakeLink kprobe_multi_links(int program, std::span<const uint64_t> addresses) {
  return [program, addresses](std::span<const uint32_t> functions) -> int {
    std::vector<unsigned long> places;
    std::vector<__u64> cookies;
    places.reserve(functions.size());
    cookies.reserve(functions.size());
    for (const uint32_t function : functions) {
      places.push_back(addresses[function]);
      cookies.push_back(function);
    }
    bpf_link_create_opts options;
    std::memset(&options, 0, sizeof(options));
    options.sz = sizeof(options);
    options.kprobe_multi.cnt = static_cast<uint32_t>(places.size());
    options.kprobe_multi.addrs = places.data();
    options.kprobe_multi.cookies = cookies.data();
    return bpf_link_create(program, 0, BPF_TRACE_KPROBE_MULTI, &options);
  };
}

Status attach_by_name(int program, std::span<const char* const> names) {
  int error = EOPNOTSUPP;
  for (const char* name : names) {
    bpf_link_create_opts options;
    std::memset(&options, 0, sizeof(options));
    options.sz = sizeof(options);
    options.kprobe_multi.cnt = 1;
    options.kprobe_multi.syms = &name;
    const int made = bpf_link_create(program, 0, BPF_TRACE_KPROBE_MULTI, &options);
    if (made >= 0) {
      const UniqueFd only_tried(made);
      return {};
    }
    error = -made;
  }
  return refused_by_kernel("attaching to a kernel function", error);
}

Result<uint64_t> missed_entries(const EntryLink& link) {
  KprobeMultiInfo info{};
  uint32_t size = sizeof(info);
  if (bpf_obj_get_info_by_fd(link.fd.get(), &info, &size) != 0) {
    return Error::from_errno("asking about a link", errno);
  }
  return info.missed;
}

}  // namespace hap::collect
