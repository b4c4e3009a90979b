// Catch2, compiled once for each test program. Without include guard: a header that is compiled by itself needs none.
#include "support/catch.hpp"
