#include <algorithm>

#include "ledger/import.h"
#include "ledger/line_reader.h"

namespace hap::ledger {
namespace {

// Gives the bytes already looked at again, then the rest.
class Rewound : public ByteStream {
 public:
  Rewound(std::string start, ByteStream& rest) : start_(std::move(start)), rest_(rest) {}
  Result<size_t> read(char* buffer, size_t size) override {
    if (at_ == start_.size()) return rest_.read(buffer, size);
    const size_t count = std::min(size, start_.size() - at_);
    std::copy_n(start_.data() + at_, count, buffer);
    at_ += count;
    return count;
  }

 private:
  std::string start_;
  size_t at_ = 0;
  ByteStream& rest_;
};

class DocumentSink : public RecordSink {
 public:
  DocumentSink(std::string origin, std::string place, std::string format,
               const std::function<Status(Record)>& take, const std::function<void(ImportIssue)>& report)
      : origin_(std::move(origin)),
        place_(std::move(place)),
        format_(std::move(format)),
        take_(take),
        report_(report) {}

  void record(Record record, const std::string& position) override {
    if (!status_.ok()) return;
    if (!valid_id(record.id))
      return malformed(position, "\"" + record.id.substr(0, 40) + "\" is not a record id");
    record.sources = {{format_, origin_, where(position)}};
    status_ = take_(std::move(record));
  }
  void malformed(const std::string& position, const std::string& why) override {
    report_({origin_, where(position), why});
  }
  const Status& status() const { return status_; }

 private:
  std::string where(const std::string& position) const {
    if (place_.empty()) return position.empty() ? "the document" : position;
    return position.empty() ? place_ : place_ + " " + position;
  }
  std::string origin_;
  std::string place_;
  std::string format_;
  const std::function<Status(Record)>& take_;
  const std::function<void(ImportIssue)>& report_;
  Status status_;
};

// Parses one document and hands its records on. A document that is no JSON or of no known format is an issue.
Status read_document(const std::string& text, const std::string& origin, const std::string& place,
                     uint64_t offset, const std::function<Status(Record)>& take,
                     const std::function<void(ImportIssue)>& report) {
  Json document;
  try {
    document = Json::parse(text);
  } catch (const Json::exception& error) {
    const auto* parse = dynamic_cast<const Json::parse_error*>(&error);
    std::string position = place;
    if (parse != nullptr) {
      const std::string byte = "byte " + std::to_string(offset + (parse->byte > 0 ? parse->byte - 1 : 0));
      position = place.empty() ? byte : place + " (" + byte + ")";
    }
    std::string message = error.what();
    const size_t detail = message.find("] ");
    if (detail != std::string::npos) message = message.substr(detail + 2);
    const size_t last_read = message.find("; last read:");
    if (last_read != std::string::npos) message.resize(last_read);  // may echo raw bytes
    report({origin, position, "not valid JSON: " + message.substr(0, 200)});
    return {};
  }
  for (const auto& format : formats()) {
    if (!format->accepts(document)) continue;
    DocumentSink sink(origin, place, format->name(), take, report);
    format->read(document, sink);
    return sink.status();
  }
  report({origin, place.empty() ? "the document" : place, "JSON, but of no known record format"});
  return {};
}

// JSON lines, or one document? A first line that is a whole object, followed by another that starts one.
bool looks_like_lines(const std::string& origin, const std::string& start) {
  const std::string file =
      origin.substr(origin.find_last_of("/:") + 1);  // also of an archive's member, also compressed
  if (file.find(".jsonl") != std::string::npos || file.find(".ndjson") != std::string::npos) return true;
  const size_t end = start.find('\n');
  if (end == std::string::npos) return false;
  const size_t next = start.find_first_not_of(" \t\r\n", end);
  if (next == std::string::npos || start[next] != '{') return false;
  return Json::accept(start.substr(0, end));
}

}  // namespace

Status read_stream(const std::string& origin, ByteStream& bytes, const ImportOptions& options,
                   const std::function<Status(Record)>& take,
                   const std::function<void(ImportIssue)>& report) {
  constexpr size_t peek = size_t{1} << 18;
  std::string start(peek, '\0');
  size_t have = 0;
  while (have < peek) {
    HAP_TRY(got, bytes.read(start.data() + have, peek - have));
    if (got == 0) break;
    have += got;
  }
  start.resize(have);
  if (start.starts_with("\xff\xfe") || start.starts_with("\xfe\xff")) {
    report({origin, "byte 0", "the text is UTF-16; convert it to UTF-8 (iconv -f UTF-16 -t UTF-8)"});
    return {};
  }
  if (start.starts_with("\xef\xbb\xbf")) start.erase(0, 3);
  const bool lines = looks_like_lines(origin, start);
  Rewound all(std::move(start), bytes);
  if (lines) {
    LineReader reader(all, options.line_bytes);
    LineReader::Line line;
    while (true) {
      HAP_TRY(more, reader.next(line));
      if (!more) return {};
      const std::string place = "line " + std::to_string(line.number);
      if (line.too_long) {
        report({origin, place + " (byte " + std::to_string(line.offset) + ")",
                "a line of " + std::to_string(line.length) + " bytes; the limit is " +
                    std::to_string(options.line_bytes)});
      } else if (line.text.find_first_not_of(" \t") != std::string::npos) {
        HAP_CHECK(read_document(line.text, origin, place, line.offset, take, report));
      }
    }
  }
  std::string document;
  std::string chunk(size_t{1} << 20, '\0');
  while (true) {
    HAP_TRY(got, all.read(chunk.data(), chunk.size()));
    if (got == 0) break;
    if (document.size() + got > options.document_bytes) {
      report({origin, "byte " + std::to_string(document.size()),
              "a document of more than " + std::to_string(options.document_bytes >> 20) + " MiB"});
      return {};
    }
    document.append(chunk, 0, got);
  }
  return read_document(document, origin, "", 0, take, report);
}

}  // namespace hap::ledger
