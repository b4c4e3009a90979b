#pragma once

#include <hawser/client.hpp>
#include <hawser/compression.hpp>
#include <hawser/configuration.hpp>
#include <hawser/connection.hpp>
#include <hawser/context.hpp>
#include <hawser/endpoint.hpp>
#include <hawser/error.hpp>
#include <hawser/export.hpp>
#include <hawser/http.hpp>
#include <hawser/logger.hpp>
#include <hawser/message.hpp>
#include <hawser/middleware.hpp>
#include <hawser/reactor.hpp>
#include <hawser/server.hpp>
#include <hawser/stock_middlewares.hpp>
#include <hawser/uri.hpp>
#include <hawser/version.hpp>

/// All of hawser: a WebSocket client and server over libev.
namespace hawser {}
