/*
 * names: see names.h. Asks the cluster with the context's time-out; errors are as good as no names.
 */
#include "cli/names.h"

#include <stdlib.h>
#include <string.h>

#include <stint/kube.h>
#include <stint/workload.h>

static char **split_and_free(struct stint_buf *text)
{
	char **names = stint_split(text->data ? text->data : "", "\n");
	stint_buf_free(text);
	return names;
}

static char **workload_names(struct stint_kube *kube, const char *project)
{
	const struct stint_read_options options = {.project = project};
	struct stint_buf names = {0};
	struct stint_model *model = stint_model_new();
	struct stint_workload_set *set = stint_workloads_read(kube, model, &options, NULL);
	size_t count = 0;
	const struct stint_workload *const *list = set ? stint_workload_set_list(set, &count) : NULL;
	for (size_t at = 0; at < count; at++)
		stint_buf_printf(&names, "%s\n", list[at]->name);
	stint_workload_set_free(set);
	stint_model_free(model);
	return split_and_free(&names);
}

static char **object_names(struct stint_kube *kube, const struct stint_kube_resource *resource, const char *space)
{
	struct stint_buf names = {0};
	stint_auto_json *list = stint_kube_list(kube, resource, space, NULL, NULL);
	stint_json_each(object, stint_json_get(list, "items"))
		stint_buf_printf(&names, "%s\n", stint_json_string_or(stint_json_at(object, "metadata", "name"), ""));
	return split_and_free(&names);
}

static char **queue_names(struct stint_kube *kube, bool department)
{
	struct stint_buf names = {0};
	stint_auto_json *list = stint_kube_list(kube, &stint_kube_queues, NULL, NULL, NULL);
	const struct stint_json *queues = stint_json_get(list, "items");
	stint_json_each(queue, queues) {
		if (stint_queue_is_department(queues, queue) == department)
			stint_buf_printf(&names, "%s\n", stint_json_string_or(stint_json_at(queue, "metadata", "name"), ""));
	}
	return split_and_free(&names);
}

static char **pool_names(struct stint_kube *kube)
{
	struct stint_buf names = {0};
	struct stint_map *seen = stint_map_new(NULL);
	stint_auto_json *list = stint_kube_list(kube, &stint_kube_nodes, NULL, NULL, NULL);
	stint_json_each(object, stint_json_get(list, "items")) {
		const char *pool = stint_json_string_or(stint_json_at(object, "metadata", "labels", STINT_LABEL_NODE_POOL), "");
		pool = *pool ? pool : STINT_DEFAULT_POOL;
		if (stint_map_has(seen, pool))
			continue;
		stint_map_set(seen, pool, seen);
		stint_buf_printf(&names, "%s\n", pool);
	}
	stint_map_free(seen);
	return split_and_free(&names);
}

static char **context_names(struct cli_context *ctx)
{
	const struct stint_kube_config_options options = {.kubeconfig = cli_text(ctx, "kubeconfig")};
	struct stint_kube_context *contexts = stint_kube_contexts_list(&options, NULL);
	struct stint_buf names = {0};
	for (size_t at = 0; contexts && contexts[at].name; at++)
		stint_buf_printf(&names, "%s\n", contexts[at].name);
	stint_kube_contexts_free(contexts);
	return split_and_free(&names);
}

char **cli_names(struct cli_context *ctx, enum cli_source source)
{
	if (source == CLI_CONTEXT_NAMES)
		return context_names(ctx);
	struct stint_kube *kube = cli_connect(ctx);
	const char *project = !kube ? NULL : cli_all_projects(ctx) ? "" : cli_project(ctx);
	if (!project)
		return stint_split("", "\n");
	project = *project ? project : NULL; /* of all */
	switch (source) {
	case CLI_WORKLOAD_NAMES: return workload_names(kube, project);
	case CLI_POD_NAMES: return object_names(kube, &stint_kube_pods, project);
	case CLI_PROJECT_NAMES: return queue_names(kube, false);
	case CLI_DEPARTMENT_NAMES: return queue_names(kube, true);
	case CLI_NODE_NAMES: return object_names(kube, &stint_kube_nodes, NULL);
	case CLI_NAMESPACE_NAMES: return object_names(kube, &stint_kube_namespaces, NULL);
	case CLI_POOL_NAMES: return pool_names(kube);
	case CLI_CLAIM_NAMES: return object_names(kube, &stint_kube_persistentvolumeclaims, project);
	case CLI_PRIORITY_CLASS_NAMES: return object_names(kube, &stint_kube_priorityclasses, NULL);
	case CLI_RUNTIME_CLASS_NAMES: return object_names(kube, &stint_kube_runtimeclasses, NULL);
	case CLI_CONTEXT_NAMES:
	case CLI_ANYTHING:
	case CLI_COMMAND_NAMES:
	case CLI_SETTING_NAMES:
	case CLI_SORT_KEYS:
	case CLI_OUTPUT_FORMATS: break;
	}
	return stint_split("", "\n");
}
