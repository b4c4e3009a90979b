#include <algorithm>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <vector>

#include "fuzz/fuzz.hpp"

// Runs a target on the files of a folder, or on one file: what a compiler without libFuzzer can do. Prints a TAP line for each.

namespace {

std::vector<std::filesystem::path> inputs(const std::filesystem::path& path) {
    if (!std::filesystem::is_directory(path)) return {path};
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(path)) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    return files;
}

void replay(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error("cannot be read");
    const std::string content{std::istreambuf_iterator<char>(file), {}};
    const support::ExactBytes copy(content);
    fuzz::run({copy.span().data(), copy.span().size()});
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: " << argv[0] << " FOLDER|FILE\n";
        return 2;
    }
    std::filesystem::path current = argv[1];
    try {
        const auto files = inputs(current);
        std::cout << "1.." << files.size() << '\n';
        for (std::size_t i = 0; i < files.size(); ++i) {
            replay(current = files[i]);
            std::cout << "ok " << i + 1 << " - " << current.filename().string() << std::endl;
        }
        return files.empty() ? 1 : 0;
    } catch (const std::exception& error) {
        std::cerr << current.string() << ": " << error.what() << '\n';
        return 1;
    }
}
