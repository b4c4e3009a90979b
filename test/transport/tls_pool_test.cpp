#include "transport/tls_pool.hpp"

#include "support/catch.hpp"
#include "support/certificates.hpp"
#include "support/error_of.hpp"
#include "transport/tls_context.hpp"

using namespace hawser;
using namespace hawser::transport;
using support::Authority;

namespace {

Context context_of(std::map<std::string, OptionValue> options) {
    options.try_emplace("cafile", Authority::instance().root_file);
    Context context;
    context.set_options({{"ssl", options}});
    return context;
}

}  // namespace

TEST_CASE("tls pool: clients with the same options have the same context, others share what they trust") {
    TlsPool pool;
    const auto first = pool.get(TlsRole::client, context_of({}));
    Context again = context_of({});
    again.set_option("http", "user_agent", "other");
    CHECK(pool.get(TlsRole::client, again) == first);
    const auto other = pool.get(TlsRole::client, context_of({{"peer_name", "a.example"}}));
    CHECK(other != first);
    CHECK(&other->authorities() == &first->authorities());
    TlsPool of_other_reactor;
    CHECK(of_other_reactor.get(TlsRole::client, context_of({})) != first);
}

TEST_CASE("tls pool: a server has its context alone, and shares what it trusts") {
    const Authority& authority = Authority::instance();
    TlsPool pool;
    const Context context = context_of({{"local_cert", authority.leaf_file}, {"local_pk", authority.key_file}, {"verify_peer", true}});
    const auto first = pool.get(TlsRole::server, context), second = pool.get(TlsRole::server, context);
    CHECK(first != second);
    CHECK(&first->authorities() == &second->authorities());
    CHECK(&first->authorities() == &pool.get(TlsRole::client, context_of({}))->authorities());
    CHECK(pool.size() == 1);
}

TEST_CASE("tls pool: files that have changed make another context, and those with the old one keep it") {
    const Authority& authority = Authority::instance();
    const support::Files files;
    const std::string trusted = files.write("ca.pem", authority.root.pem),
                      own = files.write("own.pem", authority.leaf.pem + authority.leaf.key);
    const Context context = context_of({{"cafile", trusted}, {"local_cert", own}});
    TlsPool pool;
    const auto first = pool.get(TlsRole::client, context);
    files.write("ca.pem", authority.root.pem);
    CHECK(pool.get(TlsRole::client, context) == first);
    files.write("ca.pem", support::make_authority("Other").pem);
    const auto second = pool.get(TlsRole::client, context);
    CHECK(second != first);
    CHECK(&second->authorities() != &first->authorities());
    CHECK(pool.get(TlsRole::client, context) == second);
    files.write("own.pem", authority.leaf.key + authority.leaf.pem);
    const auto third = pool.get(TlsRole::client, context);
    CHECK(third != second);
    CHECK(&third->authorities() == &second->authorities());
    CHECK(pool.size() == 1);
    files.write("own.pem", "nothing");
    support::error_of(Errc::invalid_option, [&] { pool.get(TlsRole::client, context); });
}

TEST_CASE("tls pool: a few contexts wait for their next client, the oldest goes first") {
    TlsPool pool;
    const auto get = [&](std::size_t i) { return pool.get(TlsRole::client, context_of({{"peer_name", "a" + std::to_string(i)}})); };
    const auto used = get(1000);
    for (std::size_t i = 0; i + 1 < TlsPool::max_idle; ++i) get(i);
    const std::weak_ptr<TlsContext> oldest = get(0);  // which makes it the newest
    const std::weak_ptr<TlsContext> next = get(1);
    CHECK(pool.size() == TlsPool::max_idle);  // one is in use
    get(100);
    get(101);
    CHECK(pool.size() == TlsPool::max_idle + 2);  // that which is handed out counts from the next call on
    CHECK_FALSE(oldest.expired());
    get(102);
    CHECK(pool.size() == TlsPool::max_idle + 2);
    get(103);
    CHECK(oldest.expired());
    CHECK_FALSE(next.expired());
    CHECK(get(1000) == used);
}

TEST_CASE("tls sessions: beyond the bound the one that was made first goes") {
    TlsSessions sessions;
    const auto key = [](std::size_t i) { return "host:" + std::to_string(i); };
    for (std::size_t i = 0; i + 1 < TlsSessions::max_size; ++i) sessions.renew(key(i));
    CHECK(sessions.size() == TlsSessions::max_size - 1);
    sessions.renew(key(0));
    CHECK(sessions.size() == TlsSessions::max_size - 1);
    sessions.renew("limit:1");
    CHECK(sessions.size() == TlsSessions::max_size);
    CHECK(sessions.find(key(1)));
    sessions.renew("more:1");
    CHECK(sessions.size() == TlsSessions::max_size);
    CHECK_FALSE(sessions.find(key(1)));
    CHECK(sessions.find(key(0)));
    sessions.erase(key(0));
    CHECK_FALSE(sessions.find(key(0)));
    CHECK(sessions.size() == TlsSessions::max_size - 1);
}
