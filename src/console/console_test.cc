#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <stdexcept>

#include "oa/console/program.h"

namespace oa::console {
namespace {

TEST(Printable, ControlCharactersAreVisible) {
  EXPECT_EQ(printable("a\nb\x1b[2J\x7f"), "a\\x0ab\\x1b[2J\\x7f");
  EXPECT_EQ(printable("Größe 1"), "Größe 1");
}

TEST(WantsJson, LooksAtOptionsOnly) {
  const auto wants = [](std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "program");
    return wants_json(static_cast<int>(arguments.size()), arguments.data());
  };
  EXPECT_TRUE(wants({"ls", "--json"}));
  EXPECT_FALSE(wants({"ls", "--jsonx"}));
  EXPECT_FALSE(wants({"ls", "--", "--json"}));
  EXPECT_FALSE(wants({}));
}

TEST(ExitStatuses, NameEveryError) {
  const std::string text = exit_statuses();
  for (const auto& info : error_table())
    EXPECT_NE(text.find(info.name), std::string::npos) << info.name;
}

std::optional<int> parse_arguments(std::vector<const char*> arguments) {
  CLI::App app("", "tool");
  bool json = false;
  app.add_flag("--json", json);
  app.require_subcommand(1);
  app.add_subcommand("ls", "")->fallthrough();
  arguments.insert(arguments.begin(), "tool");
  return parse(app, static_cast<int>(arguments.size()), arguments.data());
}

TEST(Parse, AMistakeIsADocumentWhenAsked) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(parse_arguments({"--json", "ls", "--no-such"}), 2);
  const std::string text = testing::internal::GetCapturedStderr();
  const auto document = parse_json(text);
  ASSERT_TRUE(document.ok()) << text;
  EXPECT_EQ(document->at("error").at("code").as_string(), "request/invalid");
  EXPECT_NE(document->at("error").at("message").as_string().find("--no-such"), std::string::npos);
  EXPECT_NE(text.find("tool ls --help"), std::string::npos);
}

TEST(Parse, GoesOnOrEnds) {
  EXPECT_EQ(parse_arguments({"ls"}), std::nullopt);
  testing::internal::CaptureStdout();
  EXPECT_EQ(parse_arguments({"--help"}), 0);
  EXPECT_NE(testing::internal::GetCapturedStdout().find("ls"), std::string::npos);
}

TEST(Failure, ADocumentIsUtf8WhateverTheFilesAreCalled) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(Output(true).failure(make_error(ErrorCode::kNotFound, "op", "no \xff file")), 3);
  const std::string text = testing::internal::GetCapturedStderr();
  const auto document = parse_json(text);
  ASSERT_TRUE(document.ok()) << text;
  EXPECT_EQ(document->at("error").at("message").as_string(), "no \uFFFD file");
}

TEST(RunCommand, TheErrorDecidesTheStatus) {
  testing::internal::CaptureStderr();
  const Output output(false);
  EXPECT_EQ(run_command(output, [](Progress&) -> Status { return {}; }), 0);
  EXPECT_EQ(run_command(output,
                        [](Progress&) -> Status {
                          return make_error(ErrorCode::kArchiveTruncated, "op", "it ends\nearly");
                        }),
            6);
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_EQ(text, "error: it ends\\x0aearly [archive/truncated]\n");
}

TEST(RunGuarded, AnExceptionIsADefect) {
  testing::internal::CaptureStderr();
  const char* argv[] = {"program"};
  EXPECT_EQ(run_guarded(1, argv,
                        [](int, const char* const*) -> int { throw std::runtime_error("thrown"); }),
            1);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("[internal]\n  cause: thrown"),
            std::string::npos);
}

}  // namespace
}  // namespace oa::console
