/*
 * kubeconfig: finds the files that configure us, reads and merges them.
 *
 * The rules are client-go's (clientcmd.ClientConfigLoadingRules): an explicit file stands alone and must exist; $KUBECONFIG is a path
 * list whose missing files are skipped; else ~/.kube/config. Named entries merge whole, the first file that has one wins. Relative
 * paths are made absolute here, against the folder of the file that holds them, so that nobody later needs to know the file.
 * Owns nothing beyond a call.
 */
#include "core/kube/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *list, *body;
	const char *paths[4]; /* fields of the body that hold a path */
} sections[] = {
	{"clusters", "cluster", {"certificate-authority"}},
	{"users", "user", {"client-certificate", "client-key", "tokenFile"}},
	{"contexts", "context", {NULL}},
};

static char *absolute_path(const char *folder, const char *path)
{
	return path[0] == '/' ? stint_strdup(path) : stint_format("%s/%s", folder, path);
}

static void resolve_path(struct stint_json *object, const char *key, const char *folder)
{
	const char *path = stint_json_string_at(object, key);
	if (!path || path[0] == '\0') {
		return;
	}
	stint_autofree char *absolute = absolute_path(folder, path);
	stint_json_set_string(object, key, absolute);
}

/* A plugin's command without a separator is looked up in PATH; with one it belongs to the file, as a path does. */
static void resolve_command(struct stint_json *user, const char *folder)
{
	struct stint_json *exec = stint_json_get(user, "exec");
	const char *command = stint_json_string_at(exec, "command");
	if (command && strchr(command, '/')) {
		resolve_path(exec, "command", folder);
	}
}

static struct stint_json *named_entry(const struct stint_json *list, const char *name)
{
	stint_json_each(entry, list) {
		const char *other = stint_json_string_at(entry, "name");
		if (other && strcmp(other, name) == 0) {
			return entry;
		}
	}
	return NULL;
}

static bool check_list(const char *path, const char *key, const char *body, const struct stint_json *list, struct stint_error **err)
{
	if (stint_json_type(list) == STINT_JSON_NULL) {
		return true;
	}
	if (stint_json_type(list) != STINT_JSON_ARRAY) {
		return stint_fail(err, STINT_USAGE, "%s: \"%s\" must be a list", path, key);
	}
	stint_json_each(entry, list) {
		const char *name = stint_json_string_at(entry, "name");
		if (!name) {
			return stint_fail(err, STINT_USAGE, "%s: an entry of \"%s\" has no name", path, key);
		}
		const struct stint_json *value = stint_json_get(entry, body);
		if (stint_json_type(value) != STINT_JSON_OBJECT && stint_json_type(value) != STINT_JSON_NULL) {
			return stint_fail(
				err, STINT_USAGE, "%s: \"%s\" of entry \"%s\" in \"%s\" must be an object", path, body, name, key);
		}
		if (named_entry(list, name) != entry) {
			return stint_fail(err, STINT_USAGE, "%s: \"%s\" has two entries named \"%s\"", path, key, name);
		}
	}
	return true;
}

static struct stint_json *parse_file(const char *path, const struct stint_buf *text, struct stint_error **err)
{
	stint_auto_json *documents = stint_yaml_parse(path, text->data ? text->data : "", text->length, err);
	if (!documents) {
		return NULL;
	}
	const struct stint_json *root = stint_json_first(documents);
	if (!root) {
		return stint_json_new_object();
	}
	if (stint_json_type(root) != STINT_JSON_OBJECT) {
		stint_fail(err, STINT_USAGE, "%s is not a kubeconfig: it must hold an object with clusters, users and contexts", path);
		return NULL;
	}
	const char *kind = stint_json_string_at(root, "kind");
	if (kind && strcmp(kind, "Config") != 0) {
		stint_fail(err, STINT_USAGE, "%s is not a kubeconfig: its kind is \"%s\"", path, kind);
		return NULL;
	}
	for (size_t i = 0; i < STINT_COUNT(sections); i++) {
		if (!check_list(path, sections[i].list, sections[i].body, stint_json_get(root, sections[i].list), err)) {
			return NULL;
		}
	}
	return stint_json_dup(root);
}

static void resolve_paths(struct stint_json *root, const char *folder)
{
	for (size_t i = 0; i < STINT_COUNT(sections); i++) {
		stint_json_each(entry, stint_json_get(root, sections[i].list)) {
			struct stint_json *body = stint_json_get(entry, sections[i].body);
			for (size_t j = 0; j < STINT_COUNT(sections[i].paths) && sections[i].paths[j]; j++) {
				resolve_path(body, sections[i].paths[j], folder);
			}
			resolve_command(body, folder);
		}
	}
}

static void merge(struct stint_json *into, const struct stint_json *root)
{
	const char *current = stint_json_string_at(root, "current-context");
	if (current && current[0] && !stint_json_get(into, "current-context")) {
		stint_json_set_string(into, "current-context", current);
	}
	for (size_t i = 0; i < STINT_COUNT(sections); i++) {
		struct stint_json *list = stint_json_ensure_array(into, sections[i].list);
		stint_json_each(entry, stint_json_get(root, sections[i].list)) {
			if (!named_entry(list, stint_json_string_at(entry, "name"))) {
				stint_json_append(list, stint_json_dup(entry));
			}
		}
	}
}

/* The folder of path, absolute, so that a later chdir changes nothing. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	stint_autofree char *folder = slash ? stint_strndup(path, slash == path ? 1 : (size_t)(slash - path)) : stint_strdup(".");
	if (folder[0] == '/') {
		return stint_steal(&folder);
	}
	stint_autofree char *here = getcwd(NULL, 0);
	return stint_format("%s/%s", here ? here : ".", folder);
}

/* *found stays as it is when the file is not there and need not be. */
static bool merge_file(const char *path, bool must_exist, struct kube_files *files, bool *found, struct stint_error **err)
{
	if (access(path, F_OK) != 0 && errno == ENOENT) {
		return !must_exist || stint_fail(err, STINT_NOT_FOUND, "there is no kubeconfig %s", path);
	}
	stint_auto_buf text = {0};
	if (!stint_buf_read_file(&text, path, STINT_YAML_MAX_BYTES, err)) {
		return false;
	}
	stint_auto_json *root = parse_file(path, &text, err);
	if (text.data) {
		explicit_bzero(text.data, text.length);
	}
	if (!root) {
		return false;
	}
	stint_autofree char *folder = folder_of(path);
	resolve_paths(root, folder);
	merge(files->root, root);
	stint_json_wipe(root);
	char *origin = files->origin ? stint_format("%s:%s", files->origin, path) : stint_strdup(path);
	free(files->origin);
	files->origin = origin;
	*found = true;
	return true;
}

static bool merge_path_list(const char *list, struct kube_files *files, bool *found, struct stint_error **err)
{
	char **paths = stint_split(list, ":");
	bool ok = true;
	for (char **path = paths; ok && *path; path++) {
		ok = merge_file(*path, false, files, found, err);
	}
	stint_strings_free(paths);
	/* Named files that are not there are a mistake to tell, not a reason to look at another cluster. */
	return ok && (*found || stint_fail(err, STINT_USAGE, "KUBECONFIG names %s, and no such file is there", list));
}

bool kube_files_load(const struct stint_kube_config_options *options, struct kube_files *files, struct stint_error **err)
{
	const char *explicit_path = options ? options->kubeconfig : NULL;
	const char *path_list = getenv("KUBECONFIG");
	const char *home = getenv("HOME");
	bool found = false, ok = true;

	files->root = stint_json_new_object();
	if (explicit_path && explicit_path[0]) {
		ok = merge_file(explicit_path, true, files, &found, err);
	} else if (path_list && path_list[0]) {
		ok = merge_path_list(path_list, files, &found, err);
	} else if (home && home[0]) {
		stint_autofree char *path = stint_format("%s/.kube/config", home);
		ok = merge_file(path, false, files, &found, err);
		/* An empty default file (the last context was removed from it) configures as little as none. */
		found = found &&
			(stint_json_first(stint_json_get(files->root, "contexts")) || stint_json_get(files->root, "current-context"));
	}
	if (!ok || !found) {
		kube_files_free(files);
	}
	return ok && found;
}

void kube_files_free(struct kube_files *files)
{
	free(files->origin);
	stint_json_wipe(files->root);
	stint_json_free(files->root);
	*files = (struct kube_files){0};
}

struct stint_json *kube_files_entry(const struct kube_files *files, const char *list, const char *name)
{
	return named_entry(stint_json_get(files->root, list), name);
}

struct stint_kube_context *stint_kube_contexts_list(const struct stint_kube_config_options *options, struct stint_error **err)
{
	struct kube_files files = {0};
	stint_auto_error *problem = NULL;
	if (!kube_files_load(options, &files, &problem) && problem) {
		stint_error_move(err, &problem);
		return NULL;
	}
	const struct stint_json *list = stint_json_get(files.root, "contexts");
	struct stint_kube_context *contexts = stint_alloc((stint_json_count(list) + 1) * sizeof(*contexts));
	const char *current = options && options->context ? options->context : stint_json_string_at(files.root, "current-context");
	size_t count = 0;
	stint_json_each(entry, list) {
		const struct stint_json *body = stint_json_get(entry, "context");
		struct stint_kube_context *context = &contexts[count++];
		context->name = stint_strdup(stint_json_string_at(entry, "name"));
		context->cluster = stint_strdup(stint_json_string_at(body, "cluster"));
		context->user = stint_strdup(stint_json_string_at(body, "user"));
		context->namespace_ = stint_strdup(stint_json_string_at(body, "namespace"));
		context->current = current && strcmp(current, context->name) == 0;
	}
	kube_files_free(&files);
	return contexts;
}

void stint_kube_contexts_free(struct stint_kube_context *contexts)
{
	for (struct stint_kube_context *context = contexts; context && context->name; context++) {
		free(context->name);
		free(context->cluster);
		free(context->user);
		free(context->namespace_);
	}
	free(contexts);
}
