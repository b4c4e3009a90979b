// One main for Catch2 2.13, whose header also holds its implementation, and 3.
#define CATCH_CONFIG_RUNNER
#include "support/catch.hpp"

int main(int argc, char** argv) { return Catch::Session().run(argc, argv); }
