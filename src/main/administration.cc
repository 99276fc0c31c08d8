#include "main/administration.h"

#include <functional>
#include <memory>

#include "command/administration.h"
#include "upload/uploads.h"

namespace kehu {
namespace {

template <class Command>
using Run = absl::Status (*)(const Command&);

// A command with --data, --url and --json.
template <class Command>
struct Declared {
  CLI::App* command;
  std::shared_ptr<Command> options;
};

template <class Command>
Declared<Command> declare(CLI::App& app, const char* name, const char* what, Run<Command> run,
                          absl::Status& result) {
  Declared<Command> declared{app.add_subcommand(name, what), std::make_shared<Command>()};
  add_where(declared.command, declared.options->where);
  declared.command->callback([options = declared.options, run, &result] { result = run(*options); });
  return declared;
}

template <class Command>
Declared<Command> with_json(Declared<Command> declared) {
  declared.command->add_flag("--json", declared.options->json, "as the API answers it");
  return declared;
}

void add_keys(CLI::App& app, absl::Status& result) {
  auto options = std::make_shared<command::KeysCommand>();
  CLI::App* command =
      app.add_subcommand("keys", "Show the admin token and the write keys of a data directory");
  command->add_option("--data", options->data, "data directory")->required();
  command->add_flag("--json", options->json, "as JSON");
  command->callback([options, &result] { result = command::run_keys(*options); });
}

CLI::App* group(CLI::App& app, const char* name, const char* what) {
  CLI::App* command = app.add_subcommand(name, what);
  command->require_subcommand(1);
  return command;
}

void add_definition_commands(CLI::App& app, absl::Status& result) {
  const auto in = [](const Declared<command::DefinitionsCommand>& declared) {
    declared.command
        ->add_option("DIR", declared.options->directory,
                     "settings.json, sources/NAME.json, webhooks/NAME.json, *.kehu…")
        ->required();
    return declared;
  };
  const auto applied = in(with_json(
      declare(app, "apply", "Make settings, sources, segments and tags as the files of a directory say",
              &command::run_apply, result)));
  applied.command->add_flag("--dry-run", applied.options->dry_run, "only show what would change");
  applied.command->add_flag("--verbose", applied.options->verbose, "also list what has no file, and stays");
  in(declare(app, "export", "Write settings, sources, segments and tags as files of a directory",
             &command::run_export, result));
}

void add_source_commands(CLI::App& app, absl::Status& result) {
  CLI::App* sources = group(app, "source", "List, make and change sources of events, and their write keys");
  const auto named = [](const Declared<command::SourceCommand>& declared) {
    declared.command->add_option("name", declared.options->name, "name of the source")->required();
    return with_json(declared);
  };
  with_json(declare(*sources, "list", "All sources and the first characters of their keys",
                    &command::list_sources, result));
  const auto added = named(declare(*sources, "add", "Make a source; its write key is shown this once",
                                   &command::add_source, result));
  added.command->add_option("--channel", added.options->channel,
                            "of events that name none, e.g. web, app, shop");
  const auto set = named(declare(*sources, "set", "Change a source", &command::set_source, result));
  command::SourceCommand& changed = *set.options;
  set.command->add_option("--channel", changed.channel, "of events that name none");
  set.command->add_option("--enabled", changed.enabled, "true or false: whether its keys open it");
  set.command->add_option("--events-per-second", changed.events_per_second, "at most; 0 is no limit")
      ->check(CLI::NonNegativeNumber);
  set.command
      ->add_option("--events-per-second-per-address", changed.events_per_second_per_address,
                   "at most of one address; 0 is no limit")
      ->check(CLI::NonNegativeNumber);
  named(declare(*sources, "delete", "Delete a source; its events stay", &command::delete_source, result));
  CLI::App* keys = group(*sources, "key", "Add or revoke a write key of a source");
  named(declare(*keys, "add", "A further write key, shown this once", &command::add_source_key, result));
  const auto revoked =
      named(declare(*keys, "revoke", "Take a write key away", &command::revoke_source_key, result));
  revoked.command
      ->add_option("key", revoked.options->hint,
                   "its first characters, as `source list` shows them, or the whole key")
      ->required();
}

void add_segment_commands(CLI::App& app, absl::Status& result) {
  CLI::App* segments = group(app, "segment", "Show segments, who is in them and why");
  const auto named = [](const Declared<command::SegmentCommand>& declared) {
    declared.command->add_option("name", declared.options->name, "name of the segment")->required();
    return with_json(declared);
  };
  with_json(
      declare(*segments, "list", "All segments and how many are in each", &command::list_segments, result));
  const auto members =
      named(declare(*segments, "members", "Who is in a segment, one a line", &command::list_members, result));
  members.command->add_option("--format", members.options->format, "text, csv, ndjson (as --json) or parquet")
      ->check(CLI::IsMember({"text", "csv", "ndjson", "parquet"}))
      ->capture_default_str();
  const auto overlap = with_json(
      declare(*segments, "overlap", "How many are in all of some segments", &command::show_overlap, result));
  overlap.command->add_option("names", overlap.options->others, "names of segments")->required();
  const auto why =
      named(declare(*segments, "why", "Why a customer is in a segment, or not", &command::show_why, result));
  why.command->add_option("customer", why.options->customer, "TYPE:VALUE or a customer id")->required();
}

void add_list_commands(CLI::App& app, absl::Status& result) {
  CLI::App* lists = group(app, "list", "Upload lists of customers, which rules may ask for");
  with_json(declare(*lists, "list", "All lists, and which rules use them", &upload::show_lists, result));
  const auto named = [](const Declared<upload::ListCommand>& declared) {
    declared.command->add_option("name", declared.options->name, "name of the list")->required();
    return declared;
  };
  const auto uploaded = with_json(named(declare(
      *lists, "upload", "Put a file in the place of the list as it is", &upload::upload_list, result)));
  upload::ListCommand& options = *uploaded.options;
  uploaded.command->add_option("file", options.file, "CSV, workbook, JSON or Parquet, also .gz")->required();
  uploaded.command
      ->add_option(
          "--id", options.id,
          "type of the identifiers, and of their column: user_id, phone, customer_id…; or TYPE=COLUMN")
      ->required();
  uploaded.command->add_option("--value", options.value, "column of the members' values: list.NAME in rules");
  uploaded.command->add_option("--source", options.source, "whose events the rows are; default: default");
  uploaded.command->add_option("--owner", options.owner, "whose list it is");
  uploaded.command->add_option("--description", options.description, "what it is for");
  uploaded.command->add_flag("--create", options.create, "unknown identifiers become customers");
  named(declare(*lists, "delete", "Delete a list that no rule uses", &upload::delete_list, result));
}

void add_backfill_commands(CLI::App& app, absl::Status& result) {
  CLI::App* backfills =
      group(app, "backfill", "Watch new rules being filled in from the archive, pause and end it");
  with_json(declare(*backfills, "status", "How far and how fast", &command::show_backfill, result));
  with_json(declare(*backfills, "pause", "Let it rest, over restarts too", &command::pause_backfill, result));
  with_json(declare(*backfills, "resume", "Let it go on where it rested", &command::resume_backfill, result));
  const auto cancel = with_json(declare(*backfills, "cancel", "Withdraw a version that is being filled in",
                                        &command::cancel_backfill, result));
  cancel.command->add_option("name", cancel.options->name, "of a segment")->required();
  cancel.command->add_flag("--tag", cancel.options->tag, "it is a tag's");
}

void add_webhook_commands(CLI::App& app, absl::Status& result) {
  CLI::App* webhooks = group(app, "webhook", "Tell other servers when customers enter and leave segments");
  const auto named = [](const Declared<command::WebhookCommand>& declared) {
    declared.command->add_option("name", declared.options->name, "name of the webhook")->required();
    return with_json(declared);
  };
  const auto with_choices = [](const Declared<command::WebhookCommand>& declared) {
    command::WebhookCommand& options = *declared.options;
    declared.command->add_option("--segments", options.segments, "names, or all, or none")->delimiter(',');
    declared.command->add_option("--tags", options.tags, "names, or all, or none")->delimiter(',');
    declared.command->add_option("--give-up-after", options.give_up_after_s,
                                 "seconds for which a message is tried; 432000, five days");
    return declared;
  };
  with_json(declare(*webhooks, "ls", "All webhooks and how they do", &command::list_webhooks, result));
  const auto made =
      with_choices(named(declare(*webhooks, "create", "Make a webhook; its secret is shown this once",
                                 &command::create_webhook, result)));
  made.command->add_option("url", made.options->url, "http:// or https://")->required();
  made.command->add_option("--secret", made.options->secret, "that the receiver has already, whsec_…");
  const auto set = with_choices(named(
      declare(*webhooks, "set", "Change a webhook, or enable it again", &command::set_webhook, result)));
  set.command->add_option("--to", set.options->url, "http:// or https://");
  set.command->add_option("--enabled", set.options->enabled, "true or false");
  const auto rotated = named(declare(*webhooks, "rotate", "Give a webhook a new secret, shown this once",
                                     &command::rotate_webhook, result));
  rotated.command->add_option("--overlap", rotated.options->overlap_s,
                              "seconds for which the old one is valid as well; 86400, a day");
  rotated.command->add_option("--secret", rotated.options->secret, "that the receiver has already, whsec_…");
  named(declare(*webhooks, "test", "Send a sample now", &command::test_webhook, result));
  named(declare(*webhooks, "delete", "Delete a webhook", &command::delete_webhook, result));
}

void add_rule_commands(CLI::App& app, absl::Status& result) {
  const auto verify =
      with_json(declare(app, "verify", "Compare live segments and tags with what all stored events come to",
                        &command::run_verify, result));
  verify.command->add_option("name", verify.options->name, "of a segment or tag; without it all of them");
  CLI::App* rules = group(app, "rules", "Check and format rules in files, see docs/rules.md");
  const auto of_files = [&](const char* name, const char* what, Run<command::RulesCommand> run) {
    auto options = std::make_shared<command::RulesCommand>();
    CLI::App* declared = rules->add_subcommand(name, what);
    declared->add_option("files", options->files, "*.kehu")->required()->check(CLI::ExistingFile);
    declared->callback([options, run, &result] { result = run(*options); });
    return Declared<command::RulesCommand>{declared, options};
  };
  const auto check = of_files("check", "Whether every definition means something", &command::check_rules);
  add_where(check.command, check.options->where);
  const auto format = of_files("format", "The definitions as they are written", &command::format_rules);
  format.command->add_flag("--chinese", format.options->chinese, "with Chinese keywords");
  format.command->add_flag("--write", format.options->write, "into the files instead of to standard output");
}

void add_settings_commands(CLI::App& app, absl::Status& result) {
  CLI::App* settings = group(app, "settings", "Show or change the settings, docs/settings.md");
  const auto get =
      declare(*settings, "get", "All settings, or one of them, as JSON", &command::get_settings, result);
  get.command->add_option("key", get.options->what, "e.g. personal_fields");
  const auto set = declare(*settings, "set", "Replace all settings by a file, or one by a value",
                           &command::set_settings, result);
  set.command->add_option("what", set.options->what, "FILE, - for standard input, or KEY VALUE");
  set.command->add_option("value", set.options->value,
                          "of the setting KEY, as JSON; a word may stand for itself");
}

void add_identity_commands(CLI::App& app, absl::Status& result) {
  const auto why = [](const Declared<command::IdentityCommand>& declared, const char* what) {
    declared.command->add_option("--reason", declared.options->reason, what)->required();
    return with_json(declared);
  };
  const auto customer = [](const Declared<command::IdentityCommand>& declared, const char* name) {
    declared.command->add_option(name, declared.options->customer, "TYPE:VALUE or a customer id")->required();
    return declared;
  };
  const auto merge =
      why(customer(declare(app, "merge", "Make two customers one", &command::run_merge, result), "winner"),
          "why they are one; it is kept");
  merge.command->add_option("loser", merge.options->other, "the one that becomes part of it")->required();
  const auto unmerge =
      why(customer(declare(app, "unmerge", "Take apart what one link joined", &command::run_unmerge, result),
                   "customer"),
          "why they are two; it is kept");
  unmerge.command
      ->add_option("link", unmerge.options->other,
                   "its number, as `kehu customer … --view identities` shows it")
      ->required();
  const auto reveal = why(customer(declare(app, "reveal", "Show a sealed value in clear; it is recorded",
                                           &command::run_reveal, result),
                                   "customer"),
                          "why it must be seen; it is kept");
  reveal.command
      ->add_option("field", reveal.options->other, "an identifier type (phone) or a trait (traits.email)")
      ->required();
  with_json(declare(app, "audit", "Who looked at sealed values, newest first", &command::run_audit, result));
}

}  // namespace

void add_where(CLI::App* command, command::Where& where) {
  auto* data = command->add_option("--data", where.data, "data directory (its server, if one runs, is used)");
  auto* url = command->add_option("--url", where.url,
                                  "server, e.g. http://127.0.0.1:7000; admin token from KEHU_ADMIN_TOKEN");
  data->excludes(url);
}

void add_administration(CLI::App& app, absl::Status& result) {
  add_keys(app, result);
  add_source_commands(app, result);
  add_segment_commands(app, result);
  add_list_commands(app, result);
  add_backfill_commands(app, result);
  add_webhook_commands(app, result);
  add_rule_commands(app, result);
  add_definition_commands(app, result);
  add_settings_commands(app, result);
  add_identity_commands(app, result);
}

}  // namespace kehu
