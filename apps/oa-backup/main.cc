#include "oa/cli/app.h"

int main(int argc, char** argv) { return oa::cli::run(argc, argv); }
