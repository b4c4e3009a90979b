#pragma once

#include "support/catch.hpp"
