/*
 * claims: what is claimed for pods: ResourceClaims from templates and PersistentVolumeClaims of ephemeral volumes are made, and devices are
 * given back when no pod that holds them is left (as the resourceclaim and ephemeral-volume controllers of a kube-controller-manager do).
 *
 * A claim made for a pod is the pod's own: it goes with the pod by garbage collection, a ResourceClaim already when the pod has ended.
 * Nothing is remembered: who holds a claim stands in its status.reservedFor.
 */
#include <string.h>

#include "core/sandbox/controllers/hub.h"
#include "core/sandbox/controllers/template.h"

#define FINALIZER "resource.kubernetes.io/delete-protection"
#define POD_CLAIM_NAME "resource.kubernetes.io/pod-claim-name"

enum { RETRY_MS = 1000 }; /* a template that is not there yet may come */

static const char manager[] = "kube-controller-manager";

static const char *meta(const struct stint_json *object, const char *key)
{
	return stint_json_string_or(stint_json_at(object, "metadata", key), "");
}

static const char *text_of(const struct stint_json *object, const char *key)
{
	return stint_json_string_or(stint_json_get(object, key), "");
}

static const struct stint_kind *claim_kind(const struct hub *hub)
{
	return stint_api_kind(hub->api, "resource.k8s.io/v1", "ResourceClaim");
}

static const struct stint_kind *volume_claim_kind(const struct hub *hub)
{
	return stint_api_kind(hub->api, "v1", "PersistentVolumeClaim");
}

/* ---- claims that are made for a pod ------------------------------------------------------------------------------------------------ */

/* A claim with the labels, annotations and spec of a template, owned by the pod. */
static struct stint_json *new_claim(const char *api_version, const char *kind, const struct stint_json *pod, const struct stint_json *from)
{
	struct stint_json *claim = stint_json_new_object();
	stint_json_set_string(claim, "apiVersion", api_version);
	stint_json_set_string(claim, "kind", kind);
	struct stint_json *metadata = stint_json_ensure_object(claim, "metadata");
	stint_json_set_string(metadata, "namespace", meta(pod, "namespace"));
	static const char *const kept[] = {"labels", "annotations"};
	for (size_t i = 0; i < STINT_COUNT(kept); i++) {
		const struct stint_json *pairs = stint_json_at(from, "metadata", kept[i]);
		if (pairs)
			stint_json_set(metadata, kept[i], stint_json_dup(pairs));
	}
	template_own(claim, pod);
	const struct stint_json *spec = stint_json_get(from, "spec");
	stint_json_set(claim, "spec", spec ? stint_json_dup(spec) : stint_json_new_object());
	return claim;
}

static bool create(
	struct hub *hub, const struct stint_kind *kind, const struct stint_json *pod, struct stint_json *claim, struct stint_json **out)
{
	stint_auto_json *refusal = NULL;
	struct stint_api_call call = {.kind = kind, .space = meta(pod, "namespace"), .manager = manager};
	if (stint_api_create(hub->api, &call, claim, out, &refusal))
		return true;
	hub_tell(hub, &pod_claim_controller, pod, "Warning", "FailedResourceClaimCreation", "PodResourceClaim: %s",
		text_of(refusal, "message"));
	return false;
}

static void make_volume_claims(struct hub *hub, const struct stint_json *pod)
{
	stint_json_each(volume, stint_json_at(pod, "spec", "volumes")) {
		const struct stint_json *from = stint_json_at(volume, "ephemeral", "volumeClaimTemplate");
		if (!from)
			continue;
		stint_autofree char *name = stint_format("%s-%s", meta(pod, "name"), text_of(volume, "name"));
		if (stint_store_get(hub->api->store, volume_claim_kind(hub), meta(pod, "namespace"), name))
			continue;
		struct stint_json *claim = new_claim("v1", "PersistentVolumeClaim", pod, from);
		stint_json_set_string(stint_json_get(claim, "metadata"), "name", name);
		create(hub, volume_claim_kind(hub), pod, claim, NULL);
	}
}

static const struct stint_json *status_of(const struct stint_json *pod, const char *name)
{
	stint_json_each(entry, stint_json_at(pod, "status", "resourceClaimStatuses")) {
		if (strcmp(text_of(entry, "name"), name) == 0)
			return entry;
	}
	return NULL;
}

struct made {
	const char *name, *claim;
};

static bool note_made(void *user, struct stint_json *pod)
{
	const struct made *made = user;
	struct stint_json *list = stint_json_ensure_array(stint_json_ensure_object(pod, "status"), "resourceClaimStatuses");
	struct stint_json *entry = stint_json_append(list, stint_json_new_object());
	stint_json_set_string(entry, "name", made->name);
	stint_json_set_string(entry, "resourceClaimName", made->claim);
	return true;
}

/* False: its template is not there. */
static bool make_resource_claim(struct hub *hub, const struct stint_json *pod, const char *name, const char *template_name)
{
	const struct stint_kind *kind = stint_api_kind(hub->api, "resource.k8s.io/v1", "ResourceClaimTemplate");
	const struct stint_stored *stored = stint_store_get(hub->api->store, kind, meta(pod, "namespace"), template_name);
	if (!stored) {
		hub_tell(hub, &pod_claim_controller, pod, "Warning", "FailedResourceClaimCreation",
			"PodResourceClaim %s: resource claim template \"%s\": not found", name, template_name);
		return false;
	}
	stint_auto_json *from = stint_stored_parse(stored), *claim = NULL;
	struct stint_json *wanted = new_claim("resource.k8s.io/v1", "ResourceClaim", pod, stint_json_get(from, "spec"));
	struct stint_json *metadata = stint_json_get(wanted, "metadata");
	stint_autofree char *prefix = stint_format("%s-%s-", meta(pod, "name"), name);
	stint_json_set_string(metadata, "generateName", prefix);
	stint_json_set_string(stint_json_ensure_object(metadata, "annotations"), POD_CLAIM_NAME, name);
	if (!create(hub, claim_kind(hub), pod, wanted, &claim))
		return true;
	struct made made = {name, meta(claim, "name")};
	struct stint_api_call call = {.kind = hub->pod_kind,
		.space = meta(pod, "namespace"),
		.name = meta(pod, "name"),
		.subresource = "status",
		.manager = manager};
	stint_api_change(hub->api, &call, note_made, &made, NULL, NULL);
	return true;
}

static bool has_ended(const struct stint_json *pod)
{
	const char *phase = stint_json_string_or(stint_json_at(pod, "status", "phase"), "");
	return strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0;
}

static void sync_pod(struct hub *hub, const char *space, const char *name)
{
	stint_auto_json *pod = hub_read(hub, &pod_claim_controller, space, name);
	if (!pod || has_ended(pod) || stint_json_at(pod, "metadata", "deletionTimestamp"))
		return;
	make_volume_claims(hub, pod);
	stint_json_each(entry, stint_json_at(pod, "spec", "resourceClaims")) {
		const char *template_name = text_of(entry, "resourceClaimTemplateName"), *entry_name = text_of(entry, "name");
		if (*template_name && !status_of(pod, entry_name) && !make_resource_claim(hub, pod, entry_name, template_name))
			hub_wake(hub, &pod_claim_controller, space, name, RETRY_MS);
	}
}

static bool asks_for_claims(const struct stint_json *pod)
{
	if (stint_json_first(stint_json_at(pod, "spec", "resourceClaims")))
		return true;
	stint_json_each(volume, stint_json_at(pod, "spec", "volumes")) {
		if (stint_json_get(volume, "ephemeral"))
			return true;
	}
	return false;
}

/* ---- devices that are given back ----------------------------------------------------------------------------------------------------- */

/* Whether that consumer still holds the claim. One that is no pod is somebody else's to take off. */
static bool holds(const struct hub *hub, const struct stint_json *consumer)
{
	if (strcmp(text_of(consumer, "resource"), "pods") != 0 || *text_of(consumer, "apiGroup"))
		return true;
	const struct pod_facts *pod = pod_book_get(hub->pods, text_of(consumer, "uid"));
	return pod && !pod_is_finished(pod) && (!pod->deleting || pod->node);
}

static bool take_finalizer_off(void *user, struct stint_json *claim)
{
	(void)user;
	struct stint_json *metadata = stint_json_get(claim, "metadata"), *finalizers = stint_json_get(metadata, "finalizers");
	stint_json_each(finalizer, finalizers) {
		if (strcmp(stint_json_string_or(finalizer, ""), FINALIZER) != 0)
			continue;
		stint_json_unlink(finalizers, finalizer);
		if (stint_json_count(finalizers) == 0)
			stint_json_remove(metadata, "finalizers");
		return true;
	}
	return false;
}

/* The consumers that still hold it, NULL: none. *fewer: some are gone. */
static struct stint_json *holders_of(const struct hub *hub, const struct stint_json *claim, bool *fewer)
{
	struct stint_json *left = NULL;
	stint_json_each(consumer, stint_json_at(claim, "status", "reservedFor")) {
		if (!holds(hub, consumer)) {
			*fewer = true;
			continue;
		}
		if (!left)
			left = stint_json_new_array();
		stint_json_append(left, stint_json_dup(consumer));
	}
	return left;
}

static void give_back(struct hub *hub, const struct stint_json *claim)
{
	bool fewer = false;
	struct stint_json *left = holders_of(hub, claim, &fewer);
	const bool free_now = !left && (fewer || stint_json_at(claim, "metadata", "deletionTimestamp"));
	if (fewer || (free_now && stint_json_at(claim, "status", "allocation"))) {
		struct stint_json *status = stint_json_dup(stint_json_get(claim, "status"));
		stint_json_remove(status, "reservedFor");
		if (left)
			stint_json_set(status, "reservedFor", stint_steal(&left));
		if (free_now) {
			stint_json_remove(status, "allocation");
			stint_json_remove(status, "devices");
		}
		hub_write_status(hub, &resource_claim_controller, claim, status);
	}
	stint_json_free(left);
	struct stint_api_call call = {
		.kind = claim_kind(hub), .space = meta(claim, "namespace"), .name = meta(claim, "name"), .manager = manager};
	if (free_now)
		stint_api_change(hub->api, &call, take_finalizer_off, NULL, NULL, NULL);
}

/* Made for a pod that has ended: nobody else may use it. */
static bool is_over(const struct hub *hub, const struct stint_json *claim)
{
	stint_json_each(owner, stint_json_at(claim, "metadata", "ownerReferences")) {
		if (strcmp(text_of(owner, "kind"), "Pod") != 0 || !stint_json_bool_or(stint_json_get(owner, "controller"), false))
			continue;
		const struct pod_facts *pod = pod_book_get(hub->pods, text_of(owner, "uid"));
		return pod && pod_is_finished(pod);
	}
	return false;
}

static void sync_claim(struct hub *hub, const char *space, const char *name)
{
	stint_auto_json *claim = hub_read(hub, &resource_claim_controller, space, name);
	if (!claim)
		return;
	give_back(hub, claim);
	struct stint_api_call call = {.kind = claim_kind(hub), .space = space, .name = name, .manager = manager};
	struct stint_delete_options options = {.grace_s = -1, .uid = meta(claim, "uid")};
	if (!stint_json_at(claim, "metadata", "deletionTimestamp") && is_over(hub, claim))
		stint_api_delete(hub->api, &call, &options, NULL, NULL);
}

static void wake_claims(struct hub *hub, const char *space)
{
	if (stint_store_count(hub->api->store, claim_kind(hub)) == 0)
		return;
	stint_auto_store_list list = {0};
	stint_store_list(hub->api->store, claim_kind(hub), space, &list);
	for (size_t i = 0; i < list.count; i++)
		hub_wake(hub, &resource_claim_controller, list.items[i]->space, list.items[i]->name, 0);
}

void claims_pod_event(struct hub *hub, const struct stint_json *pod, const struct pod_facts *facts)
{
	if (!pod || facts->deleting || pod_is_finished(facts))
		wake_claims(hub, facts->space);
	else if (asks_for_claims(pod))
		hub_wake(hub, &pod_claim_controller, facts->space, facts->name, 0);
}

const struct controller pod_claim_controller = {.name = "pod-claim-controller", .api_version = "v1", .kind = "Pod", .sync = sync_pod};
const struct controller resource_claim_controller = {
	.name = "resource-claim-controller", .api_version = "resource.k8s.io/v1", .kind = "ResourceClaim", .sync = sync_claim};
