#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>
#include <vector>

#include "faults/plan.hpp"
#include "faults/scenario.hpp"
#include "support/catch.hpp"
#include "support/certificates.hpp"
#include "support/descriptors.hpp"

using namespace faults;

namespace {

struct Failing {
    const char* call;
    std::vector<int> errors;  // that its man page names
};

// Left out: what epoll_ctl and epoll_wait call a wrong descriptor or argument (EBADF, EINVAL, ELOOP, EFAULT), at which libev ends the
// process.
const std::vector<Failing> calls{
    {"socket", {EACCES, EAFNOSUPPORT, EINVAL, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPROTONOSUPPORT}},
    {"bind", {EACCES, EADDRINUSE, EBADF, EINVAL, ENOTSOCK, EADDRNOTAVAIL, EFAULT, ELOOP, ENAMETOOLONG, ENOENT, ENOMEM, ENOTDIR, EROFS}},
    {"listen", {EADDRINUSE, EBADF, ENOTSOCK, EOPNOTSUPP}},
    {"accept4", {EAGAIN,    EBADF,  ECONNABORTED, EFAULT,      EINTR,     EINVAL, EMFILE,          ENFILE,
                 ENOBUFS,   ENOMEM, ENOTSOCK,     EOPNOTSUPP,  EPERM,     EPROTO, ENETDOWN,        ENOPROTOOPT,
                 EHOSTDOWN, ENONET, EHOSTUNREACH, ENETUNREACH, ETIMEDOUT, ENOSR,  ESOCKTNOSUPPORT, EPROTONOSUPPORT}},
    {"connect",
     {EACCES, EPERM, EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, EAGAIN, EALREADY, EBADF, ECONNREFUSED, EFAULT, EINPROGRESS, EINTR, EISCONN,
      ENETUNREACH, ENOTSOCK, EPROTOTYPE, ETIMEDOUT}},
    {"recv", {EAGAIN, EBADF, ECONNREFUSED, ECONNRESET, EFAULT, EINTR, EINVAL, ENOMEM, ENOTCONN, ENOTSOCK, ETIMEDOUT}},
    {"recvfrom", {EAGAIN, EBADF, ECONNREFUSED, EFAULT, EINTR, EINVAL, ENOMEM, ENOTCONN, ENOTSOCK}},
    {"send",
     {EACCES, EAGAIN, EALREADY, EBADF, ECONNREFUSED, ECONNRESET, EDESTADDRREQ, EFAULT, EINTR, EINVAL, EISCONN, EMSGSIZE, ENOBUFS, ENOMEM,
      ENOTCONN, ENOTSOCK, EOPNOTSUPP, EPIPE}},
    {"sendmsg",
     {EACCES, EAGAIN, EALREADY, EBADF, ECONNRESET, EDESTADDRREQ, EFAULT, EINTR, EINVAL, EISCONN, EMSGSIZE, ENOBUFS, ENOMEM, ENOTCONN,
      ENOTSOCK, EOPNOTSUPP, EPIPE}},
    {"shutdown", {EBADF, EINVAL, ENOTCONN, ENOTSOCK}},
    {"setsockopt", {EBADF, EFAULT, EINVAL, ENOPROTOOPT, ENOTSOCK}},
    {"getsockopt", {EBADF, EFAULT, EINVAL, ENOPROTOOPT, ENOTSOCK}},
    {"getsockname", {EBADF, EFAULT, EINVAL, ENOBUFS, ENOTSOCK}},
    {"getpeername", {EBADF, EFAULT, EINVAL, ENOBUFS, ENOTCONN, ENOTSOCK}},
    {"open", {EACCES, EBADF,  EBUSY,  EDQUOT, EEXIST, EFAULT,  EFBIG, EINTR,      EINVAL,    EISDIR, ELOOP, EMFILE,  ENAMETOOLONG,
              ENFILE, ENODEV, ENOENT, ENOMEM, ENOSPC, ENOTDIR, ENXIO, EOPNOTSUPP, EOVERFLOW, EPERM,  EROFS, ETXTBSY, EWOULDBLOCK}},
    {"epoll_create1", {EINVAL, EMFILE, ENFILE, ENOMEM}},
    {"epoll_ctl", {EEXIST, ENOENT, ENOMEM, ENOSPC, EPERM}},
    {"epoll_wait", {EINTR}},
    {"eventfd", {EINVAL, EMFILE, ENFILE, ENODEV, ENOMEM}},
    {"getentropy", {EFAULT, EIO, ENOSYS}},
};

/// Plays it with the first such call failing, then the second …, until none is left to fail. Returns how many calls there were.
std::size_t fail_each(Scenario scenario, const char* call, int error) {
    for (std::size_t nth = 1;; ++nth) {
        INFO(call << " number " << nth << " fails with " << std::error_code(error, std::generic_category()).message());
        const std::size_t descriptors = support::open_descriptors();
        const Armed armed(call, error, nth);
        const Outcome outcome = play(scenario);
        INFO("told: " << outcome.first_told.data());
        REQUIRE(outcome.is_over);
        REQUIRE(outcome.is_balanced);
        REQUIRE((outcome.is_whole || outcome.is_told));
        REQUIRE(support::open_descriptors() == descriptors);
        if (!armed.has_struck()) {
            REQUIRE(outcome.is_whole);
            return nth - 1;
        }
    }
}

/// Each call in turn, with each of its errors. Returns the calls of which there was at least one.
std::string fail_all(Scenario scenario) {
    std::string made;
    for (const Failing& failing : calls) {
        std::size_t count = 0;
        for (const int error : failing.errors) count = std::max(count, fail_each(scenario, failing.call, error));
        if (count != 0) made += (made.empty() ? "" : " ") + std::string(failing.call);
    }
    return made;
}

}  // namespace

TEST_CASE("system calls: each fails in each way, plain") {
    CHECK(fail_all(Scenario::plain) ==
          "socket bind listen accept4 connect recv send sendmsg setsockopt getsockopt getsockname getpeername open epoll_create1 epoll_ctl "
          "epoll_wait eventfd getentropy");
}

TEST_CASE("system calls: each fails in each way, half-close") {
    CHECK(fail_all(Scenario::half_close) ==
          "socket bind listen accept4 connect recv send sendmsg shutdown setsockopt getsockopt getsockname getpeername open epoll_create1 "
          "epoll_ctl epoll_wait eventfd getentropy");
}

TEST_CASE("system calls: each fails in each way, TLS") {
    support::Authority::instance();
    CHECK(fail_all(Scenario::tls) ==
          "socket bind listen accept4 connect recv send setsockopt getsockopt getsockname getpeername open epoll_create1 "
          "epoll_ctl epoll_wait eventfd getentropy");
}

TEST_CASE("system calls: each fails in each way, Unix socket") {
    CHECK(fail_all(Scenario::unix_socket) ==
          "socket bind listen accept4 connect recv send sendmsg getsockopt getsockname getpeername open epoll_create1 epoll_ctl "
          "epoll_wait eventfd getentropy");
}

TEST_CASE("system calls: each fails in each way, look-up of a name") {
    CHECK(fail_all(Scenario::look_up) == "socket bind connect recvfrom send getsockname epoll_create1 epoll_ctl epoll_wait eventfd");
}
