#pragma once

#include <functional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "api/app.h"
#include "api/problem.h"

// Ways in which handlers answer.
namespace kehu::api {

inline Response json_or_problem(absl::StatusOr<std::string> body) {
  return body.ok() ? Response::json(*std::move(body)) : to_response(problem_of(body.status()));
}

// Runs `look` on the apply thread and sends the JSON it returns.
inline void answer_from_replica(App& app, Responder responder,
                                absl::AnyInvocable<absl::StatusOr<std::string>(engine::Replica&)> look) {
  auto waiting = std::make_shared<Responder>(std::move(responder));
  const bool taken =
      app.engine().inspect([waiting, look = std::move(look)](engine::Replica& replica) mutable {
        waiting->send(json_or_problem(look(replica)));
      });
  if (!taken) waiting->send(to_response(Problem::overloaded("the server is stopping")));
}

// What most admin routes answer besides their success.
inline std::vector<AnswerDoc> with_admin_answers(std::vector<AnswerDoc> answers) {
  answers.push_back({401, "The admin token is missing or wrong", "application/problem+json", "Problem"});
  return answers;
}

}  // namespace kehu::api
