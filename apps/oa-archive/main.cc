#include "oa/archive_cli/app.h"

int main(int argc, char** argv) { return oa::archive_cli::run(argc, argv); }
