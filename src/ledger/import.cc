#include "ledger/import.h"

#include <filesystem>
#include <unordered_map>

#include "ledger/record_digest.h"

namespace hap::ledger {
namespace {

// Puts the records of one input into the store.
class Importer : public InputVisitor {
 public:
  Importer(Store& store, const ImportOptions& options, ImportReport& report, Progress& progress)
      : store_(store), options_(options), report_(report), progress_(progress) {}

  Status stream(const std::string& name, ByteStream& bytes) override {
    return read_stream(
        name, bytes, options_, [this](Record record) { return take(std::move(record)); },
        [this](ImportIssue issue) { report_.issues.push_back(std::move(issue)); });
  }
  void ignored(const std::string&) override { ++report_.ignored_files; }
  void refused(const std::string& name, const std::string& why) override {
    report_.issues.push_back({name, "", why + ": not read"});
  }
  bool advance(uint64_t position, uint64_t total) override {
    progress_.advance(position, total);
    return !options_.stop || !options_.stop();
  }
  uint64_t records() const { return records_; }

 private:
  Status take(Record record) {
    ++records_;
    ++report_.records;
    if (records_ % 1024 == 0 && options_.stop && options_.stop()) {
      return Error("stopped before the end; nothing of this input was kept", ErrorKind::interrupted);
    }
    const Source& source = record.sources.front();
    // The first statement of an id wins within one input; a different second one is a fault of the input.
    const auto digest = record_digest(record);
    const auto [known, first] = seen_.try_emplace(source.format + " " + record.id, digest);
    if (!first) {
      --report_.records;
      if (known->second == digest) {
        ++report_.duplicates;
      } else {
        report_.issues.push_back(
            {source.origin, source.position, record.id + " a second time, with other content: skipped"});
      }
      return {};
    }
    HAP_TRY(change, store_.put(record));
    switch (change) {
      case Store::Change::added:
        ++report_.added;
        break;
      case Store::Change::updated:
        ++report_.updated;
        break;
      case Store::Change::unchanged:
        ++report_.unchanged;
        break;
    }
    return {};
  }

  Store& store_;
  const ImportOptions& options_;
  ImportReport& report_;
  Progress& progress_;
  uint64_t records_ = 0;
  std::unordered_map<std::string, std::string> seen_;
};

Status import_one(Store& store, const std::string& path, const ImportOptions& options, ImportReport& report,
                  Progress& progress) {
  std::error_code error;
  std::string key = std::filesystem::weakly_canonical(path, error).string();
  if (error || key.empty()) key = path;
  HAP_TRY(digest, input_digest(path));
  HAP_TRY(before, store.imported_digest(key));
  if (!options.again && before == digest) {
    ++report.unchanged_inputs;
    return {};
  }
  HAP_TRY(transaction, Transaction::begin(store.database()));
  ImportReport part;
  Importer importer(store, options, part, progress);
  const auto walked = walk_input(path, options.limits, importer);
  // What was found wrong is worth telling even when the input fails as a whole.
  for (auto& issue : part.issues) report.issues.push_back(std::move(issue));
  if (!walked) return walked.error();
  report.ignored_files += part.ignored_files;
  if (importer.records() == 0) {
    return Error("no record could be read", ErrorKind::corrupt)
        .at(path)
        .hint(part.issues.empty()
                  ? "formats: CVE 5.x, the kernel CNA's vulns repository or its one-line form, NVD 2.0, "
                    "xsa.json, OSV, tracker lines"
                  : "the first reason: " + report.issues[report.issues.size() - part.issues.size()].message);
  }
  HAP_CHECK(store.mark_imported(key, digest, static_cast<int64_t>(importer.records())));
  if (part.added + part.updated > 0) HAP_CHECK(store.new_generation());
  HAP_CHECK(transaction.commit());
  report.records += part.records;
  report.added += part.added;
  report.updated += part.updated;
  report.unchanged += part.unchanged;
  report.duplicates += part.duplicates;
  return {};
}

}  // namespace

Result<ImportReport> import_inputs(Store& store, const std::vector<std::string>& paths,
                                   const ImportOptions& options, Progress& progress) {
  ImportReport report;
  for (const auto& path : paths) {
    progress.step("importing " + path);
    const size_t issues = report.issues.size();
    const auto status = import_one(store, path, options, report, progress);
    progress.done();
    if (!status) {
      for (size_t i = issues; i < report.issues.size() && i < issues + 10; ++i) {
        const auto& issue = report.issues[i];
        progress.note(issue.origin + ": " + issue.position + ": " + issue.message);
      }
      return status.error();
    }
  }
  return report;
}

}  // namespace hap::ledger
