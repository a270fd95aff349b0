/* Configuration, seen from inside core/kube: the merged kubeconfig, and how it becomes a struct stint_kube_config. */
#ifndef STINT_KUBE_CONFIG_INTERNAL_H
#define STINT_KUBE_CONFIG_INTERNAL_H

#include <stint/kube.h>

/* What the files of a kubeconfig say together. */
struct kube_files {
	char *origin; /* the files that were read, joined by ':' for people */
	struct stint_json *root; /* {"current-context", "clusters": [...], "users": [...], "contexts": [...]}; paths are absolute */
};

/* False without an error when there is no configuration at all (then files stays empty). */
bool kube_files_load(const struct stint_kube_config_options *options, struct kube_files *files, struct stint_error **err);
void kube_files_free(struct kube_files *files);
/* The entry named so within the list "clusters", "users" or "contexts", or NULL. */
struct stint_json *kube_files_entry(const struct kube_files *files, const char *list, const char *name);
/* The context named by options, else current-context. */
struct stint_kube_config *kube_config_resolve(
	const struct kube_files *files, const struct stint_kube_config_options *options, struct stint_error **err);
/* In-cluster configuration with the service account's files in `folder`. */
struct stint_kube_config *kube_config_in_cluster_at(const char *folder, struct stint_error **err);

/* free() after wiping; NULL is fine. */
void kube_wipe_free(char *secret);

#endif
