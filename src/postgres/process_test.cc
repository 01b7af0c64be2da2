#include "oa/postgres/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "oa/base/io.h"

namespace oa::postgres {
namespace {

Account ourselves() { return {own_account_name().value(), geteuid(), getegid(), {}, false}; }

// What `script` says, run with `inherited`.
std::string said(const std::string& script, std::span<const InheritedFile> inherited) {
  int ends[2];
  EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const auto pid = spawn(ourselves(), {"/bin/sh", "-c", script}, ends[1], inherited);
  close(ends[1]);
  EXPECT_TRUE(pid.ok());
  std::string text(4096, '\0');
  std::size_t length = 0;
  for (ssize_t n; (n = read(ends[0], text.data() + length, text.size() - length)) > 0;)
    length += static_cast<std::size_t>(n);
  close(ends[0]);
  EXPECT_EQ(wait_for_exit(*pid), 0) << text;
  text.resize(length);
  return text;
}

TEST(Process, GetsTheFilesThatItShallHaveAndNoOthers) {
  auto one = MemoryFile::of("one", as_bytes("first\n")), two = MemoryFile::of("two", as_bytes("second\n"));
  ASSERT_TRUE(one.ok() && two.ok());
  const InheritedFile files[] = {{two->fd(), 4}, {one->fd(), 6}};
  EXPECT_EQ(said("cat /proc/self/fd/4 /proc/self/fd/6; for n in 3 5 7 8 9 10 11 12; do [ ! -e "
                 "/proc/$$/fd/$n ] || echo $n; done",
                 files),
            "second\nfirst\n");
}

TEST(Process, AFileInMemoryCannotBeChanged) {
  auto file = MemoryFile::of("one", as_bytes("first\n"));
  ASSERT_TRUE(file.ok());
  const InheritedFile files[] = {{file->fd(), 3}};
  EXPECT_EQ(said("(echo other > /proc/self/fd/3) 2>/dev/null; cat /proc/self/fd/3", files), "first\n");
}

TEST(Process, TellsHowAProgramEnded) {
  const auto pid = spawn(ourselves(), {"/bin/sh", "-c", "kill -9 $$"}, STDERR_FILENO);
  ASSERT_TRUE(pid.ok());
  EXPECT_EQ(wait_for_exit(*pid), 128 + 9);
}

}  // namespace
}  // namespace oa::postgres
