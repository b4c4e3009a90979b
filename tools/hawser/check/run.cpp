#include "run.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace hawser::check {

namespace {

// A subject that cannot be reached at all is no subject.
constexpr std::size_t enough_attempts = 16;

}  // namespace

Trial* Run::start() {
    if (next_ == cases_.size()) return nullptr;
    const Case& a_case = cases_[next_++];
    auto& trial = trials_[&a_case];
    trial = std::make_unique<Trial>(reactor_, subject_, a_case, [this](Trial& done) { finish(done); });
    if (on_start) on_start(*trial);
    return trial.get();
}

void Run::keep_running(std::size_t jobs) {
    jobs_ = jobs;
    fill();
}

void Run::fill() {
    while (trials_.size() < jobs_ && start()) {
    }
}

Trial* Run::find(const std::string& id) {
    for (const auto& [a_case, trial] : trials_)
        if (a_case->id == id) return trial.get();
    return nullptr;
}

void Run::finish(Trial& trial) {
    if (on_done) on_done(trial);
    ever_connected_ = ever_connected_ || trial.connected();
    Result result = trial.result();
    trials_.erase(result.a_case);
    keep(std::move(result));
    if (!ever_connected_ && done_ >= std::min(enough_attempts, cases_.size()))
        throw std::runtime_error("no connection with the subject came about in " + std::to_string(done_) + " attempts");
    if (done_ == cases_.size())
        reactor_.stop();
    else
        fill();
}

void Run::keep(Result result) {
    const Result& kept = results_[result.a_case] = std::move(result);
    ++done_;
    if (on_result) on_result(kept);
}

void Run::give_up(const std::string& why) {
    while (next_ < cases_.size()) keep({&cases_[next_++], {Verdict::failed, why}, 0, {}});
    reactor_.stop();
}

std::vector<Result> Run::results() const {
    std::vector<Result> out;
    for (const Case& a_case : cases_)
        if (const auto found = results_.find(&a_case); found != results_.end()) out.push_back(found->second);
    return out;
}

}  // namespace hawser::check
