// What most sources include, compiled once for each target. Without include guard: a header that is compiled by itself needs none.
#include <hawser/hawser.hpp>
