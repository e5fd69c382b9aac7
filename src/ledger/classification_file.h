// Classifications made by people: the project's (data/ledger/classification-*.tsv) and the user's own.
//
// Tab-separated, a header line naming the columns (any order; unknown ones are an error):
//   cell       technology id, or "none"
//   impact     pe, dos, il, or "none"
//   tier       core, upper, alt, excl
//   id         one or several record ids: "CVE-2014-9065,CVE-2014-9066", "CVE-2014-1891..CVE-2014-1894"
//   advisory   XSA-114, several separated by commas, or empty
//   public     YYYY-MM-DD, or empty: the record's own date
//   attacker, component, note
// '#' starts a comment line. "# covers: published 2014" says that the file decides every record dated in that
// year (or "2014-2016") for the technologies that occur in it: records it does not name are in none of their
// cells.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hap/ledger.h"

namespace hap::ledger {

struct HandRow {
  std::string technology;
  std::optional<Impact> impact;  // empty with technology "none"
  Tier tier = Tier::excluded;
  std::vector<std::string> ids;
  std::vector<std::string> advisories;
  std::optional<std::string> date;
  std::string attacker;
  std::string component;
  std::string note;
  size_t line = 0;
};

struct ClassificationFile {
  std::string origin;  // file name without folders
  std::optional<YearSpan> covers;
  std::vector<HandRow> rows;
  std::string digest;

  bool decides(const std::string& technology) const;  // does the technology occur in it?

  static Result<ClassificationFile> parse(const std::string& text, const std::string& path);
  static Result<ClassificationFile> load(const std::string& path);
};

}  // namespace hap::ledger
