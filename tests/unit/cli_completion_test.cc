// Completions and man pages from command definitions.
#include "cli/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

#include "cli/manual.h"

namespace hap::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

struct Fixture {
  CLI::App app{"Measures things.", "hap"};
  std::string text;
  std::vector<std::string> texts;
  bool flag = false;

  Fixture() {
    auto* list = app.add_subcommand("list", "What there is: [all] of it's names");
    list->add_option("what", text, "A kind")->required()->check(CLI::IsMember({"sandboxes", "workloads"}));
    list->add_option("--format", text, "Output format")->check(CLI::IsMember({"text", "json"}));
    auto* measure = app.add_subcommand("measure", "Measure a cell");
    measure->add_option("--sandbox", text, "A sandbox")->required();
    measure->add_option("-o,--output", text, "Recording")->type_name("FILE.hap");
    measure->add_option("--option", texts, "Passed on");
    measure->add_flag("-q,--quiet", flag, "Say less");
    measure->add_flag("--inner", flag, "Not for people")->group("");
    measure->footer("Examples:\n  hap measure --sandbox bare\n\n.leading dot");
    auto* lab = app.add_subcommand("lab", "The lab");
    lab->add_subcommand("build", "Build it");
    app.add_subcommand("inner", "Not for people")->group("");
  }
  CommandModel model() const { return describe_commands(app); }
};

TEST(CommandModel, SaysWhatTheProgramAccepts) {
  const CommandModel model = Fixture().model();
  ASSERT_EQ(model.commands.size(), 3u) << "hidden commands are left out";
  const CommandModel& list = *model.find("list");
  ASSERT_EQ(list.positionals.size(), 1u);
  EXPECT_EQ(list.positionals[0].kind, ValueKind::choice);
  EXPECT_TRUE(list.positionals[0].required);
  EXPECT_EQ(list.positionals[0].values.size(), 2u);
  const CommandModel& measure = *model.find("measure");
  ASSERT_EQ(measure.options.size(), 5u) << "help and four; the hidden one is left out";
  EXPECT_EQ(measure.options[1].kind, ValueKind::registry);
  EXPECT_THAT(measure.options[1].values, ElementsAre("sandboxes"));
  EXPECT_THAT(measure.options[2].names, ElementsAre("-o", "--output"));
  EXPECT_EQ(measure.options[2].kind, ValueKind::file);
  EXPECT_TRUE(measure.options[3].repeated);
  EXPECT_EQ(measure.options[4].kind, ValueKind::none);
  EXPECT_EQ(model.find("no such"), nullptr);
}

TEST(Completion, BashKnowsCommandsOptionsAndValues) {
  const std::string script = bash_completion(Fixture().model());
  EXPECT_THAT(script, HasSubstr("'list measure lab'"));
  EXPECT_THAT(script, HasSubstr("'list:--format') COMPREPLY=($(compgen -W 'text json' -- \"$current\"))"));
  EXPECT_THAT(script, HasSubstr("'measure:-o') _hap_files -f"));
  EXPECT_THAT(script, HasSubstr("_hap_names sandboxes"));
  EXPECT_THAT(script, HasSubstr("'lab build')"));
  EXPECT_THAT(script, Not(HasSubstr("inner")));
}

TEST(Completion, ZshEscapesDescriptions) {
  const std::string script = zsh_completion(Fixture().model());
  EXPECT_EQ(script.rfind("#compdef hap\n", 0), 0u);
  EXPECT_THAT(script, HasSubstr(R"('list:What there is\: \[all\] of it'\''s names')"));
  EXPECT_THAT(script, HasSubstr("'*--option[Passed on]:"));
  EXPECT_THAT(script, Not(HasSubstr("inner")));
}

TEST(Manual, HasOptionsExamplesAndNoRequestsFromText) {
  const CommandModel model = Fixture().model();
  const std::string page = man_page(model, *model.find("measure"), "1.2.3");
  EXPECT_THAT(page, HasSubstr(".TH HAP\\-MEASURE 1 \"\" \"hapmeter 1.2.3\""));
  EXPECT_THAT(page, HasSubstr("\\fB\\-o\\fR, \\fB\\-\\-output\\fR \\fIFILE.hap\\fR\nRecording"));
  EXPECT_THAT(page, HasSubstr("A sandbox. Required."));
  EXPECT_THAT(page, HasSubstr(".SH EXAMPLES\n.nf\n  hap measure \\-\\-sandbox bare\n"));
  EXPECT_THAT(page, HasSubstr("\n\\&.leading dot\n")) << "a line of text is never taken for a request";
  EXPECT_THAT(page, Not(HasSubstr("\\-\\-inner")));
  EXPECT_THAT(topic_page("metrics", "what they count\n\nbody\n", "1"),
              HasSubstr("hapmeter\\-metrics \\- what they count"));
}

}  // namespace
}  // namespace hap::cli
