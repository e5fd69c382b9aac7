// hap ledger: the vulnerability ledger on the command line.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>

#include "base/paths.h"
#include "cli/analysis.h"
#include "cli/commands.h"
#include "cli/exercised_code.h"
#include "cli/terminal.h"
#include "hap/exposure.h"
#include "ledger/accuracy.h"
#include "ledger/book.h"
#include "ledger/exposure_format.h"
#include "ledger/import.h"
#include "ledger/store.h"

namespace hap::cli {
namespace {

struct LedgerOptions {
  std::string database;
  std::string rules;
  std::string user_file;
  std::string format = "text";
  bool rules_only = false;
  // import
  std::vector<std::string> inputs;
  bool again = false;
  // table
  std::string years;
  std::string cell;
  bool by_id = false;
  // show
  std::string id;
  // accuracy
  std::string against;
  bool list = false;
  // exposure, retrodict
  std::vector<std::string> recordings;
  int since = 0;
  size_t limit = 20;
  int until = 0;
  int to = 0;
  AnalysisOptions analysis;
};

Result<ledger::BookOptions> book_options(const LedgerOptions& options, bool with_text) {
  HAP_TRY(data, data_dir());
  ledger::BookOptions book;
  book.database = options.database;
  book.data = data + "/ledger";
  book.rules = options.rules;
  book.user_file = options.user_file;
  book.rules_only = options.rules_only;
  book.with_text = with_text;
  return book;
}

// "2014", "2010-2014".
Result<ledger::YearSpan> parse_years(const std::string& text) {
  const size_t dash = text.find('-');
  const auto year = [](const std::string& part) {
    const bool digits = part.size() == 4 &&
                        std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
    return digits ? std::stoi(part) : 0;
  };
  const int from = year(text.substr(0, dash));
  const int to = dash == std::string::npos ? from : year(text.substr(dash + 1));
  if (from < 1990 || to < from || to > 2100) {
    return Error("\"" + text + "\" is no year and no span of years", ErrorKind::usage)
        .hint("write --year 2014 or --year 2010-2014");
  }
  return ledger::YearSpan{from, to};
}

Result<int> run_import(const LedgerOptions& options, const Session& session) {
  std::string database = options.database;
  if (database.empty()) {
    HAP_TRY(standard, ledger::default_path());
    database = standard;
  }
  HAP_TRY(store, ledger::Store::open(database));
  ledger::ImportOptions import;
  import.again = options.again;
  import.stop = [&session] { return session.cancel.requested();
};
const auto progress = session.progress();
HAP_TRY(report, ledger::import_inputs(store, options.inputs, import, *progress));
constexpr size_t shown = 20;
for (size_t i = 0; i < std::min(shown, report.issues.size()); ++i) {
  const auto& issue = report.issues[i];
  progress->note("skipped: " + issue.origin + (issue.position.empty() ? "" : ", " + issue.position) + ": " +
                 issue.message);
}
if (report.issues.size() > shown)
  progress->note("... and " + std::to_string(report.issues.size() - shown) + " more were skipped");
HAP_TRY(total, store.record_count());
std::string text = std::to_string(report.records) + " records read: " + std::to_string(report.added) +
                   " new, " + std::to_string(report.updated) + " updated, " +
                   std::to_string(report.unchanged) + " as before; " + std::to_string(report.issues.size()) +
                   " skipped";
if (report.duplicates > 0) text += ", " + std::to_string(report.duplicates) + " repeated";
if (report.ignored_files > 0)
  text += ", " + std::to_string(report.ignored_files) + " files of other kinds ignored";
if (report.unchanged_inputs > 0)
  text += "; " + std::to_string(report.unchanged_inputs) + " inputs unchanged since their last import";
HAP_CHECK(print(text + "\nThe ledger holds " + std::to_string(total) + " records: " + database + "\n"));
return exit_done;
}  // namespace

Result<int> run_table(const LedgerOptions& options) {
  HAP_TRY(years, parse_years(options.years));
  HAP_TRY(opened, book_options(options, false));
  HAP_TRY(book, ledger::open_book(opened));
  const ledger::Table table = ledger::make_table(
      book, {years, options.by_id ? ledger::DateBasis::id_year : ledger::DateBasis::published});
  if (options.cell.empty()) {
    if (options.format == "text") HAP_CHECK(print(ledger::table_text(table)));
    if (options.format == "json") HAP_CHECK(print(ledger::table_json(table)));
    if (options.format == "csv") HAP_CHECK(print(ledger::table_csv(table)));
    return exit_done;
  }
  const size_t slash = options.cell.find('/');
  const auto impact =
      slash == std::string::npos ? std::nullopt : ledger::parse_impact(options.cell.substr(slash + 1));
  const auto* cell = impact ? table.find(options.cell.substr(0, slash), *impact) : nullptr;
  if (cell == nullptr) {
    std::string known;
    for (const auto& technology : table.technologies) known += (known.empty() ? "" : ", ") + technology.id;
    return Error("there is no cell \"" + options.cell + "\"", ErrorKind::usage)
        .hint("write TECHNOLOGY/IMPACT; technologies: " + known + "; impacts: pe, dos, il");
  }
  if (options.format == "text") HAP_CHECK(print(ledger::cell_text(table, *cell)));
  if (options.format == "json") HAP_CHECK(print(ledger::cell_json(table, *cell)));
  if (options.format == "csv") HAP_CHECK(print(ledger::cell_csv(*cell)));
  return exit_done;
}

Result<int> run_show(const LedgerOptions& options) {
  HAP_TRY(opened, book_options(options, true));
  HAP_TRY(book, ledger::open_book(opened));
  const auto* record = book.find(options.id);
  if (record == nullptr) {
    return Error("the ledger has no record " + options.id)
        .hint("ids are written as in CVE-2014-0049; hap ledger import adds records");
  }
  HAP_CHECK(print(options.format == "json"
                      ? ledger::to_json(*record, 2) + "\n"
                      : ledger::record_text(*record, book.rules.explain(record->record))));
  return exit_done;
}

Result<int> run_accuracy(const LedgerOptions& options) {
  HAP_TRY(opened, book_options(options, true));
  opened.rules_only = true;
  HAP_TRY(book, ledger::open_book(opened));
  const ledger::ClassificationFile* hand = nullptr;
  std::string known;
  for (const auto& file : book.files) {
    known += (known.empty() ? "" : ", ") + file.origin;
    if (file.origin == options.against || file.origin == "classification-" + options.against + ".tsv")
      hand = &file;
  }
  std::optional<ledger::ClassificationFile> named;
  std::error_code ignored;
  if (hand == nullptr && std::filesystem::exists(options.against, ignored)) {
    HAP_TRY(file, ledger::ClassificationFile::load(options.against));
    named = std::move(file);
    hand = &*named;
  }
  if (hand == nullptr) {
    return Error("there is no hand classification \"" + options.against + "\"", ErrorKind::usage)
        .hint("shipped: " + known + "; or name a file");
  }
  const auto accuracy = ledger::measure_accuracy(book, *hand);
  if (accuracy.records == 0) {
    return Error("none of the classified records was imported")
        .hint("import a source that has them, for example the tracker's or NVD's records of that year");
  }
  HAP_CHECK(print(options.format == "json" ? ledger::accuracy_json(accuracy)
                                           : ledger::accuracy_text(accuracy, options.list)));
  return exit_done;
}

Result<std::vector<ledger::ExercisedCode>> load_codes(const LedgerOptions& options) {
  HAP_TRY(data, data_dir());
  HAP_TRY(paths, store::find_recordings(options.recordings));
  std::vector<ledger::ExercisedCode> codes;
  for (const auto& path : paths) {
    HAP_TRY(cell, open_trusted_cell(path, options.analysis));
    HAP_TRY(code, exercised_code(path, cell, data));
    codes.push_back(std::move(code));
  }
  return codes;
}

// Makes sure that what the rules derive (requirements) is in the database before records are loaded from it.
Result<std::vector<ledger::Record>> load_ledger(const LedgerOptions& options) {
  HAP_TRY(opened, book_options(options, false));
  HAP_TRY(book, ledger::open_book(opened));
  std::vector<ledger::Record> records;
  records.reserve(book.records.size());
  for (auto& record : book.records) records.push_back(std::move(record.record));
  if (book.database_records == 0) {
    return Error("nothing was imported into the ledger yet")
        .hint("import records first: hap ledger import FILE...");
  }
  return records;
}

Result<int> run_exposure(const LedgerOptions& options) {
  HAP_TRY(records, load_ledger(options));
  HAP_TRY(codes, load_codes(options));
  ledger::ExposureOptions expose;
  if (options.since != 0) expose.since = options.since;
  if (options.by_id) expose.basis = ledger::DateBasis::id_year;
  std::vector<ledger::Exposure> exposures;
  exposures.reserve(codes.size());
  for (const auto& code : codes) exposures.push_back(ledger::expose(records, code, expose));
  const ledger::ExposureView view{options.limit, expose.since};
  if (options.format == "text") HAP_CHECK(print(ledger::exposure_text(exposures, view)));
  if (options.format == "json") HAP_CHECK(print(ledger::exposure_json(exposures, view)));
  if (options.format == "csv") HAP_CHECK(print(ledger::exposure_csv(exposures)));
  return exit_done;
}

Result<int> run_retrodict(const LedgerOptions& options) {
  HAP_TRY(records, load_ledger(options));
  HAP_TRY(codes, load_codes(options));
  const auto result = ledger::retrodict(
      records, codes, options.until, options.to == 0 ? std::nullopt : std::optional<int>(options.to),
      options.by_id ? ledger::DateBasis::id_year : ledger::DateBasis::published);
  HAP_CHECK(print(options.format == "json" ? ledger::retrodiction_json(result)
                                           : ledger::retrodiction_text(result)));
  return exit_done;
}

// Options that every reading command has. The formats it accepts are checked while parsing.
void add_common(CLI::App* command, LedgerOptions& options, const std::vector<std::string>& formats) {
  command->add_option("--db", options.database,
                      "The ledger's database (default: $HAP_LEDGER, else in the user's data folder)");
  command->add_option("--rules", options.rules, "Another classification rules file");
  command->add_option("--classification", options.user_file,
                      "Your own classification file; it overrides rules and shipped classifications");
  command->add_option("--format", options.format, "Output format")
      ->check(CLI::IsMember(formats))
      ->capture_default_str();
}

}  // namespace hap::cli

void add_ledger(CLI::App& app, Session& session) {
  const auto options = std::make_shared<LedgerOptions>();
  auto* ledger = app.add_subcommand(
      "ledger", "Published vulnerabilities: by technology, impact and year, and in what a sandbox exercises");
  ledger->require_subcommand(1);
  ledger->footer(
      "Examples:\n"
      "  hap ledger table --year 2014                     the talk's table, from the shipped classification\n"
      "  hap ledger table --year 2014 --cell xen-pv/dos   the records behind one figure\n"
      "  hap ledger import vulns/cve/published            the kernel CNA's repository\n"
      "  hap ledger exposure a.hap b.hap --since 2024     which known vulnerabilities lie in exercised code");

  auto* import = ledger->add_subcommand("import", "Read records into the ledger");
  import
      ->add_option("INPUT", options->inputs,
                   "Files, folders or archives: CVE 5.x, the kernel CNA's vulns repository, NVD 2.0, "
                   "xsa.json, OSV, tracker lines")
      ->required();
  import->add_option("--db", options->database,
                     "The ledger's database (default: $HAP_LEDGER, else in the user's data folder)");
  import->add_flag("--again", options->again,
                   "Read inputs that have not changed since their last import, too");
  import->callback([options, &session] { session.run = [options, &session] { return run_import(*options, session);
};
});

auto* table =
    ledger->add_subcommand("table", "Technology x impact x year, as ranges from certain to conditional");
add_common(table, *options, {"text", "json", "csv"});
table->add_option("--year", options->years, "A year or a span: 2014, 2010-2014")->required();
table->add_option("--cell", options->cell, "Expand one cell to its records: xen-pv/dos");
table->add_flag("--by-rules", options->rules_only,
                "Leave out what people decided and show the automatic rules alone");
table->add_flag("--undated-by-id", options->by_id, "Count undated records in the year of their id");
table->callback([options, &session] { session.run = [options] { return run_table(*options); }; });

auto* show = ledger->add_subcommand("show", "One record: facts, classification, and who decided it why");
add_common(show, *options, {"text", "json"});
show->add_option("ID", options->id, "CVE-2014-0049, XSA-148")->required();
show->callback([options, &session] { session.run = [options] { return run_show(*options); }; });

auto* accuracy =
    ledger->add_subcommand("accuracy", "Precision and recall of the rules against a hand classification");
add_common(accuracy, *options, {"text", "json"});
accuracy
    ->add_option("--against", options->against,
                 "A year that was classified by hand (2014, 2015), or a classification file")
    ->required();
accuracy->add_flag("--list", options->list, "List the disagreements");
accuracy->callback([options, &session] { session.run = [options] { return run_accuracy(*options); }; });

auto* exposure =
    ledger->add_subcommand("exposure", "Known vulnerabilities in the code that recordings exercised");
add_common(exposure, *options, {"text", "json", "csv"});
exposure->add_option("RECORDING", options->recordings, "Recordings (.hap)")->required();
exposure
    ->add_option("--since", options->since,
                 "Only records published in this year or later; undated ones are counted apart")
    ->check(CLI::Range(1990, 2100));
exposure->add_flag("--undated-by-id", options->by_id, "Date undated records by the year of their id");
add_analysis_options(*exposure, options->analysis);
exposure->add_option("--limit", options->limit, "Records listed per recording in text")
    ->capture_default_str();
exposure->callback([options, &session] { session.run = [options] { return run_exposure(*options); }; });

auto* retrodict =
    ledger->add_subcommand("retrodict", "How well density up to a year told the following years' records");
add_common(retrodict, *options, {"text", "json"});
retrodict->add_option("RECORDING", options->recordings, "Recordings (.hap), best of several sandboxes")
    ->required();
retrodict->add_option("--until", options->until, "Last year of the records that densities are taken from")
    ->required()
    ->check(CLI::Range(1990, 2100));
retrodict->add_option("--to", options->to, "Last year of the records that are predicted")
    ->check(CLI::Range(1990, 2100));
add_analysis_options(*retrodict, options->analysis);
retrodict->add_flag("--undated-by-id", options->by_id, "Date undated records by the year of their id");
retrodict->callback([options, &session] { session.run = [options] { return run_retrodict(*options); }; });
}

}  // namespace hap::cli
