/*
 * list: synchronous lists, page by page with limit and continue, and the discovery of kinds that are not built in.
 *
 * Pages are cut into items while they arrive, so that a list of any length needs the memory of its largest item. A continue token that
 * has expired (410) means that the pages do not belong together any more: the tree form starts over without pages, the streaming form
 * tells its caller, who has seen items already.
 */
#include "core/kube/client.h"

#include <stdlib.h>
#include <string.h>

enum { DEFAULT_PAGE = 500, MAX_RESOURCES_IN_GROUP = 2000 };
static const size_t max_item_bytes = 16 * 1024 * 1024;

/* ---- one page -------------------------------------------------------------------------------------------------------------- */

struct page {
	struct stint_splitter *splitter;
	struct stint_error *problem; /* of the splitter, more telling than "the consumer stopped" */
};

static bool feed_page(void *user, const char *data, size_t length)
{
	struct page *page = user;
	return stint_splitter_feed(page->splitter, data, length, &page->problem);
}

/* What stands around the items ({"metadata": {"continue": ...}}), or NULL with err. */
static struct stint_json *read_page(struct stint_kube *kube, struct stint_kube_request request,
	bool (*on_item)(void *user, const char *item, size_t length), void *user, struct stint_error **err)
{
	struct page page = {.splitter = stint_splitter_new(max_item_bytes, on_item, user)};
	struct stint_json *rest = NULL;
	request.on_data = feed_page;
	request.user = &page;
	if (stint_kube_call_wait(kube, &request, NULL, err)) {
		rest = stint_splitter_finish(page.splitter, err);
	} else if (page.problem) {
		stint_error_move(err, &page.problem);
	}
	stint_error_free(page.problem);
	stint_splitter_free(page.splitter);
	return rest;
}

static struct stint_json *list_pages(struct stint_kube *kube, const struct stint_kube_resource *resource, const char *namespace_,
	const struct stint_kube_list_options *options, bool (*on_item)(void *user, const char *item, size_t length), void *user,
	struct stint_error **err)
{
	static const struct stint_kube_list_options defaults = {0};
	options = options ? options : &defaults;
	int page_size = options->limit ? options->limit : DEFAULT_PAGE;
	stint_autofree char *limit = page_size > 0 ? stint_format("%d", page_size) : NULL;
	stint_autofree char *next = NULL;
	for (;;) {
		const struct stint_kube_query query[] = {{"labelSelector", options->label_selector},
			{"fieldSelector", options->field_selector}, {"limit", limit}, {"continue", next}, {NULL, NULL}};
		const struct stint_kube_request request = {.resource = resource, .namespace_ = namespace_, .query = query};
		stint_auto_json *rest = read_page(kube, request, on_item, user, err);
		if (!rest) {
			return NULL;
		}
		const char *token = stint_json_string_at(rest, "metadata", "continue");
		if (!token || !token[0]) {
			return stint_steal(&rest);
		}
		if (next && strcmp(next, token) == 0) {
			stint_fail(
				err, STINT_FAILED, "%s gives the same page of %s again and again", kube->config->server, resource->plural);
			return NULL;
		}
		free(next);
		next = stint_strdup(token);
	}
}

bool stint_kube_list_each(struct stint_kube *kube, const struct stint_kube_resource *resource, const char *namespace_,
	const struct stint_kube_list_options *options, bool (*on_item)(void *user, const char *item, size_t length), void *user,
	struct stint_error **err)
{
	stint_auto_json *rest = list_pages(kube, resource, namespace_, options, on_item, user, err);
	return rest != NULL;
}

/* ---- the whole as a tree --------------------------------------------------------------------------------------------------- */

struct tree {
	struct stint_json *items;
	const char *api_version, *kind;
	struct stint_error *problem;
};

/* Items of built-in lists carry neither apiVersion nor kind; whoever prints one wants both, in front. */
static struct stint_json *complete_item(struct tree *tree, struct stint_json *item)
{
	if (stint_json_type(item) != STINT_JSON_OBJECT || stint_json_get(item, "kind")) {
		return item;
	}
	struct stint_json *full = stint_json_new_object();
	stint_json_set_string(full, "apiVersion", tree->api_version);
	stint_json_set_string(full, "kind", tree->kind);
	for (struct stint_json *member = stint_json_first(item); member; member = stint_json_first(item)) {
		stint_autofree char *key = stint_strdup(stint_json_key(member));
		stint_json_set(full, key, stint_json_take(item, key));
	}
	stint_json_free(item);
	return full;
}

static bool add_item(void *user, const char *text, size_t length)
{
	struct tree *tree = user;
	struct stint_json *item = stint_json_parse(text, length, 0, &tree->problem);
	if (!item) {
		return false;
	}
	stint_json_append(tree->items, complete_item(tree, item));
	return true;
}

static struct stint_json *list_once(struct stint_kube *kube, const struct stint_kube_resource *resource, const char *namespace_,
	const struct stint_kube_list_options *options, struct stint_error **err)
{
	stint_autofree char *api_version = stint_kube_resource_api_version(resource);
	stint_autofree char *list_kind = stint_format("%sList", resource->kind);
	stint_auto_json *list = stint_json_new_object();
	stint_json_set_string(list, "apiVersion", api_version);
	stint_json_set_string(list, "kind", list_kind);
	stint_json_ensure_object(list, "metadata");
	struct tree tree = {.items = stint_json_ensure_array(list, "items"), .api_version = api_version, .kind = resource->kind};
	stint_auto_json *rest = list_pages(kube, resource, namespace_, options, add_item, &tree, err);
	if (!rest) {
		if (tree.problem) {
			stint_error_move(err, &tree.problem);
		}
		return NULL;
	}
	struct stint_json *metadata = stint_json_take(rest, "metadata");
	if (metadata) {
		stint_json_set(list, "metadata", metadata);
	}
	return stint_steal(&list);
}

struct stint_json *stint_kube_list(struct stint_kube *kube, const struct stint_kube_resource *resource, const char *namespace_,
	const struct stint_kube_list_options *options, struct stint_error **err)
{
	stint_auto_error *problem = NULL;
	struct stint_json *list = list_once(kube, resource, namespace_, options, &problem);
	if (!list && problem->status == 410) {
		struct stint_kube_list_options whole = options ? *options : (struct stint_kube_list_options){0};
		whole.limit = -1;
		stint_error_clear(&problem);
		list = list_once(kube, resource, namespace_, &whole, &problem);
	}
	if (!list) {
		stint_error_move(err, &problem);
	}
	return list;
}

/* ---- discovery ------------------------------------------------------------------------------------------------------------- */

/* One block: the structure and its texts, so that free() is all it takes. */
static struct stint_kube_resource *make_resource(const char *api_version, const char *plural, const char *kind, bool namespaced)
{
	const char *slash = strchr(api_version, '/');
	size_t group_length = slash ? (size_t)(slash - api_version) : 0;
	const char *version = slash ? slash + 1 : api_version;
	size_t plural_length = strlen(plural), kind_length = strlen(kind), version_length = strlen(version);
	struct stint_kube_resource *resource =
		stint_alloc(sizeof(*resource) + group_length + version_length + plural_length + kind_length + 4);
	char *text = (char *)(resource + 1);
	*resource = (struct stint_kube_resource){
		.group = text,
		.version = text + group_length + 1,
		.plural = text + group_length + version_length + 2,
		.kind = text + group_length + version_length + plural_length + 3,
		.namespaced = namespaced,
	};
	memcpy(text, api_version, group_length);
	memcpy(text + group_length + 1, version, version_length);
	memcpy(text + group_length + version_length + 2, plural, plural_length);
	memcpy(text + group_length + version_length + plural_length + 3, kind, kind_length);
	return resource;
}

/* The resource of that kind in an APIResourceList, or NULL; subresources ("pods/log") have kinds too and are passed over. */
static struct stint_kube_resource *pick_resource(const struct stint_json *answer, const char *api_version, const char *kind)
{
	int seen = 0;
	stint_json_each(entry, stint_json_get(answer, "resources")) {
		const char *entry_kind = stint_json_string_at(entry, "kind");
		const char *plural = stint_json_string_at(entry, "name");
		if (entry_kind && plural && strcmp(entry_kind, kind) == 0 && !strchr(plural, '/')) {
			return make_resource(api_version, plural, kind, stint_json_bool_or(stint_json_get(entry, "namespaced"), false));
		}
		if (++seen > MAX_RESOURCES_IN_GROUP) {
			break;
		}
	}
	return NULL;
}

const struct stint_kube_resource *stint_kube_discover(
	struct stint_kube *kube, const char *api_version, const char *kind, struct stint_error **err)
{
	const struct stint_kube_resource *built_in = stint_kube_resource_find(api_version, kind);
	if (built_in) {
		return built_in;
	}
	if (!kube->discovered) {
		kube->discovered = stint_map_new(free);
	}
	stint_autofree char *key = stint_format("%s/%s", api_version, kind);
	struct stint_kube_resource *known = stint_map_get(kube->discovered, key);
	if (known) {
		return known;
	}
	const char *slash = strchr(api_version, '/');
	stint_auto_buf path = {0};
	stint_buf_puts(&path, slash ? "/apis/" : "/api/");
	stint_autofree char *group = slash ? stint_strndup(api_version, (size_t)(slash - api_version)) : NULL;
	if (group) {
		stint_kube_escape(&path, group);
		stint_buf_putc(&path, '/');
	}
	stint_kube_escape(&path, slash ? slash + 1 : api_version);
	struct stint_kube_response response = {0};
	const struct stint_kube_request request = {.path = path.data};
	stint_auto_error *problem = NULL;
	if (!stint_kube_call_wait(kube, &request, &response, &problem) && problem->code != STINT_NOT_FOUND) {
		stint_error_move(err, &problem);
		return NULL;
	}
	stint_auto_json *answer =
		problem ? NULL : stint_json_parse(response.body.data ? response.body.data : "", response.body.length, 0, NULL);
	stint_kube_response_free(&response);
	struct stint_kube_resource *found = pick_resource(answer, api_version, kind);
	if (!found) {
		stint_fail(err, STINT_NOT_FOUND, "the cluster knows no kind %s in %s: is its CustomResourceDefinition installed?", kind,
			api_version);
		return NULL;
	}
	stint_map_set(kube->discovered, key, found);
	return found;
}
