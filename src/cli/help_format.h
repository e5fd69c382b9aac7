// Help within 100 columns.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace hap::cli {

// CLI11's help, with lines that are too long folded into their column.
class FoldingFormatter : public CLI::Formatter {
 public:
  FoldingFormatter();
  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override;
};

}  // namespace hap::cli
