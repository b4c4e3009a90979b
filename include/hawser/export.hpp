#pragma once

/// Marks what the shared library exports; everything else is built with hidden visibility.
#if defined(__GNUC__)
#define HAWSER_API __attribute__((visibility("default")))
#else
#define HAWSER_API
#endif
