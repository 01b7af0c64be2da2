// restore_command of the tests of this module: SOCKET FILE TARGET, as oa-backup restore-wal.
#include <cstdio>
#include <cstring>

#include "oa/wal/restore_server.h"

// As restore_command() writes it: restore-wal --socket SOCKET FILE TARGET.
int main(int argc, char** argv) {
  if (argc != 6 || std::strcmp(argv[1], "restore-wal") != 0) return oa::wal::kRestoreTrouble;
  const auto answer = oa::wal::restore_wal(argv[3], argv[4], argv[5]);
  if (!answer.ok()) std::fprintf(stderr, "%s\n", answer.error().message.c_str());
  return oa::wal::restore_exit_status(answer);
}
