// The machine's own Debian mirrors, read from apt's configuration. hapmeter knows no mirror by name.
#pragma once

#include <string>
#include <vector>

#include "hap/result.h"

namespace hap::lab {

// One archive that packages come from.
struct AptSource {
  std::string uri;
  std::string suite;
  std::vector<std::string> components;
  std::string signed_by;  // keyring file; "" when the source names none

  // As a line of sources.list, for packages of this machine's architecture amd64.
  std::string line() const;
  bool operator==(const AptSource&) const = default;
};

// The classic format: `deb [options] uri suite component...`. Disabled and deb-src lines are skipped, and so
// is what does not parse: apt itself would complain about it.
std::vector<AptSource> parse_one_line_sources(const std::string& text);

// The deb822 format (*.sources): stanzas with Types, URIs, Suites, Components, Signed-By, Enabled.
std::vector<AptSource> parse_deb822_sources(const std::string& text);

// The sources for `suite` (and its -updates and -security) on the mirrors from which `configured` takes
// `host_suite`: same address, other suite. Backports and third-party archives are left out. Sources without a
// keyring get `keyring`.
std::vector<AptSource> sources_for_suite(const std::vector<AptSource>& configured,
                                         const std::string& host_suite, const std::string& suite,
                                         const std::string& keyring);

// Where apt's source lists are, what it has, and which release this machine runs, put together. With a
// `mirror`, just that. Errors: not a Debian machine and no mirror given, no keyring.
Result<std::vector<AptSource>> find_sources(const std::string& suite, const std::string& mirror);

}  // namespace hap::lab
