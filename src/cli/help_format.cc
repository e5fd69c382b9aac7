#include "cli/help_format.h"

#include "base/text_layout.h"

namespace hap::cli {
namespace {

constexpr size_t description_column = 34;

}  // namespace

FoldingFormatter::FoldingFormatter() {
  column_width(description_column);
}

std::string FoldingFormatter::make_help(const CLI::App* app, std::string name,
                                        CLI::AppFormatMode mode) const {
  return folded_lines(Formatter::make_help(app, std::move(name), mode), kTextColumns, description_column);
}

}  // namespace hap::cli
