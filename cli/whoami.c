/*
 * whoami: whom the cluster takes the caller for, and what that one may do. Every answer is the API server's own (SelfSubjectReview,
 * SelfSubjectAccessReview); what it does not tell is left out.
 */
#include <string.h>

#include <stint/kube.h>

#include "cli/output/output.h"
#include "cli/project.h"

/* What people want to know, and the right that it takes. `everywhere`: not within the project. */
static const struct question {
	const char *key, *words;
	const char *verb, *group, *resource, *subresource;
	bool everywhere;
} questions[] = {
	{"submit", "submit workloads", "create", "batch", "jobs", NULL, false},
	{"list", "list workloads", "list", "", "pods", NULL, false},
	{"delete", "delete workloads", "delete", "batch", "jobs", NULL, false},
	{"logs", "read logs", "get", "", "pods", "log", false},
	{"exec", "run commands in pods", "create", "", "pods", "exec", false},
	{"see_projects", "see projects and quotas", "list", "scheduling.run.ai", "queues", NULL, true},
	{"see_nodes", "see nodes", "list", "", "nodes", NULL, true},
	{"keep_projects", "keep projects", "create", "scheduling.run.ai", "queues", NULL, true},
};

static struct stint_json *post(
	struct stint_kube *kube, const struct stint_kube_resource *resource, struct stint_json *object, struct stint_error **err)
{
	stint_auto_json *owned = object;
	stint_autofree char *api_version = stint_kube_resource_api_version(resource);
	stint_json_set_string(object, "apiVersion", api_version);
	stint_json_set_string(object, "kind", resource->kind);
	return stint_kube_create(kube, resource, NULL, NULL, object, NULL, err);
}

static bool add_user(struct stint_kube *kube, struct stint_json *document, struct stint_error **err)
{
	stint_auto_json *answer = post(kube, &stint_kube_selfsubjectreviews, stint_json_new_object(), err);
	if (!answer)
		return false;
	const struct stint_json *info = stint_json_at(answer, "status", "userInfo");
	stint_json_set_string(document, "user", stint_json_string_or(stint_json_get(info, "username"), ""));
	const struct stint_json *groups = stint_json_get(info, "groups");
	if (groups)
		stint_json_set(document, "groups", stint_json_dup(groups));
	return true;
}

static bool add_answer(
	struct stint_kube *kube, const struct question *question, const char *project, struct stint_json *may, struct stint_error **err)
{
	struct stint_json *review = stint_json_new_object();
	struct stint_json *attributes = stint_json_ensure_object(stint_json_ensure_object(review, "spec"), "resourceAttributes");
	if (!question->everywhere)
		stint_json_set_string(attributes, "namespace", project);
	stint_json_set_string(attributes, "verb", question->verb);
	stint_json_set_string(attributes, "group", question->group);
	stint_json_set_string(attributes, "resource", question->resource);
	if (question->subresource)
		stint_json_set_string(attributes, "subresource", question->subresource);
	stint_auto_json *answer = post(kube, &stint_kube_selfsubjectaccessreviews, review, err);
	if (answer)
		stint_json_set_bool(may, question->key, stint_json_bool_or(stint_json_at(answer, "status", "allowed"), false));
	return answer != NULL;
}

static void print_fields(struct cli_context *ctx, const struct stint_json *document)
{
	struct cli_fields *fields = cli_fields_new();
	stint_auto_buf groups = {0};
	stint_json_each(group, stint_json_get(document, "groups"))
		stint_buf_printf(&groups, "%s%s", groups.length ? ", " : "", stint_json_string_or(group, ""));
	cli_fields_add(fields, "User", "%s", stint_json_string_or(stint_json_get(document, "user"), ""));
	cli_fields_add(fields, "Groups", "%s", groups.data ? groups.data : "");
	cli_fields_add(fields, "Context", "%s", stint_json_string_or(stint_json_get(document, "context"), ""));
	cli_fields_add(fields, "Server", "%s", stint_json_string_or(stint_json_get(document, "server"), ""));
	cli_fields_add(fields, "Project", "%s", stint_json_string_or(stint_json_get(document, "project"), ""));
	for (int allowed = 1; allowed >= 0; allowed--) {
		stint_auto_buf words = {0};
		for (size_t at = 0; at < STINT_COUNT(questions); at++) {
			const struct stint_json *answer = stint_json_at(document, "may", questions[at].key);
			if (answer && stint_json_bool_or(answer, false) == (allowed != 0))
				stint_buf_printf(&words, "%s%s", words.length ? ", " : "", questions[at].words);
		}
		cli_fields_add(fields, allowed ? "May" : "May not", "%s", words.data ? words.data : "");
	}
	cli_fields_print(fields, ctx);
}

static int run(struct cli_context *ctx)
{
	const char *project = cli_project(ctx);
	struct stint_kube *kube = project ? cli_connect(ctx) : NULL;
	stint_auto_json *document = stint_json_new_object();
	const bool named = cli_given(ctx, "project") || cli_given(ctx, "namespace");
	if (!kube || (named && !cli_project_is_there(ctx, kube, project)) || !add_user(kube, document, &ctx->err))
		return cli_failed(ctx);
	const struct stint_kube_config *config = stint_kube_config_of(kube);
	if (config->context)
		stint_json_set_string(document, "context", config->context);
	stint_json_set_string(document, "server", config->server);
	stint_json_set_string(document, "project", project);
	struct stint_json *may = stint_json_ensure_object(document, "may");
	for (size_t at = 0; at < STINT_COUNT(questions); at++) {
		stint_auto_error *err = NULL;
		/* A server that does not answer such questions answers none of them. */
		if (!add_answer(kube, &questions[at], project, may, &err)) {
			cli_note_error(ctx, &err);
			break;
		}
	}
	int exit_code;
	if (!cli_print_object(ctx, document, stint_json_string(stint_json_get(document, "user")), &exit_code))
		print_fields(ctx, document);
	return exit_code;
}

const struct cli_command cli_command_whoami = {
	.name = "whoami",
	.group = CLI_TOOLS,
	.summary = "Show who you are for the cluster, and what you may do",
	.examples = "stint whoami -p vision\n"
		    "stint whoami -o jsonpath='{.may.submit}'",
	.formats = CLI_FORMATS_OBJECT,
	.exits = CLI_EXIT(STINT_NOT_FOUND) | CLI_EXIT(STINT_UNREACHABLE) | CLI_EXIT(STINT_FORBIDDEN),
	.run = run,
};
