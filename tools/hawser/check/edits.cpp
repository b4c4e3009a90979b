#include "edits.hpp"

#include <utility>

namespace hawser::check {

Edit set(std::string name, std::string value) {
    return [name = std::move(name), value = std::move(value)](Head& head) { head.set(name, value); };
}

Edit add(std::string name, std::string value) {
    return [name = std::move(name), value = std::move(value)](Head& head) { head.fields.push_back({name, value}); };
}

Edit without(std::string name) {
    return [name = std::move(name)](Head& head) { head.remove(name); };
}

Edit line(std::string from, std::string to) {
    return
        [from = std::move(from), to = std::move(to)](Head& head) { head.first_line.replace(head.first_line.find(from), from.size(), to); };
}

Edit reversed() {
    return [](Head& head) { head.fields = {head.fields.rbegin(), head.fields.rend()}; };
}

Edit lower_names() {
    return [](Head& head) {
        for (auto& field : head.fields) field.name = lower(field.name);
    };
}

Edit spaced_values() {
    return [](Head& head) {
        for (auto& field : head.fields) field.value = "  \t" + field.value + " \t ";
    };
}

}  // namespace hawser::check
