#include <hawser/context.hpp>

#include "fuzz/fuzz.hpp"

// Context options from lines "wrapper.name=value": refused, and then nothing is changed, or kept and accepted again.

using namespace hawser;

void fuzz::run(std::string_view input) {
    Context context;
    while (!input.empty()) {
        const std::string_view line = input.substr(0, input.find('\n'));
        input.remove_prefix(std::min(line.size() + 1, input.size()));
        const std::size_t dot = line.find('.');
        const std::size_t equals = line.find('=', dot == std::string_view::npos ? 0 : dot);
        if (dot == std::string_view::npos || equals == std::string_view::npos) continue;
        const Exact wrapper(line.substr(0, dot)), name(line.substr(dot + 1, equals - dot - 1)), value(line.substr(equals + 1));
        const Context::Options before = context.options();
        const bool accepted = accepts(Errc::invalid_option, [&] { context.parse_option(wrapper, name, value); });
        require(accepted || context.options() == before, "what is refused changes nothing");
        require(!accepted || context.get_option(wrapper, name), "what is accepted can be asked for");
        accepts(Errc::invalid_option, [&] { context.set_option(wrapper, name, std::string(value)); });
    }
    Context copy;
    copy.set_options(context.options());
    require(copy.options() == context.options(), "what was accepted is accepted again");
}
