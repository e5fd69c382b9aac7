// Source formats: how one JSON document becomes records.
//
// To add a format: implement RecordFormat in format_<name>.cc, declare its maker below and list it in
// formats(); give it a rank in precedence() (store.cc), a fuzz corpus entry and a test. Documents are
// untrusted: read them through Fields, never by operator[] or get<>().
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hap/ledger.h"

namespace hap::ledger {

using Json = nlohmann::json;

// Takes what a format finds. `position` is a JSON pointer inside the document ("" for all of it).
class RecordSink {
 public:
  virtual ~RecordSink() = default;
  virtual void record(Record record, const std::string& position) = 0;
  // A record that cannot be used: said and skipped as a whole.
  virtual void malformed(const std::string& position, const std::string& why) = 0;
};

class RecordFormat {
 public:
  virtual ~RecordFormat() = default;
  virtual std::string name() const = 0;
  // Does this document look like the format? Decided by its distinguishing keys, not by file names.
  virtual bool accepts(const Json& document) const = 0;
  virtual void read(const Json& document, RecordSink& sink) const = 0;
};

const std::vector<std::unique_ptr<RecordFormat>>& formats();

std::unique_ptr<RecordFormat> make_kernel_compact_format();
std::unique_ptr<RecordFormat> make_cve5_format();
std::unique_ptr<RecordFormat> make_nvd_format();
std::unique_ptr<RecordFormat> make_xsa_format();
std::unique_ptr<RecordFormat> make_osv_format();
std::unique_ptr<RecordFormat> make_tracker_format();
std::unique_ptr<RecordFormat> make_requirements_format();

// Typed access to an untrusted object. A missing or null member is an empty value; a member of the wrong
// type, or a date that is none, is remembered in `trouble()`, and the caller skips the whole record.
class Fields {
 public:
  explicit Fields(const Json& object);

  std::string text(const char* key);
  std::optional<std::string> date(const char* key);
  std::vector<std::string> texts(const char* key);
  // The array or object there, or an empty one.
  const Json& array(const char* key);
  const Json& object(const char* key);

  const std::string& trouble() const { return trouble_; }
  void fail(const std::string& why);

 private:
  const Json* member(const char* key) const;
  const Json& object_;
  std::string trouble_;
};

// "CVE-2024-26581", "XSA-148", "GHSA-...": an id of a shape that is safe to print and to keep.
bool valid_id(const std::string& id);

// One name per product however the source spells it: "linux", "xen", "qemu", "runc", "containerd", "docker",
// ...
std::string product_name(std::string_view name);

// Source files and functions that a description names: "the sctp_assoc_update function in
// net/sctp/associola.c".
void add_named_places(Record& record);

}  // namespace hap::ledger
