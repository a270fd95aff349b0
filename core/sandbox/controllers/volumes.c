/*
 * volumes: PersistentVolumes and the claims that get them: as the binder of a kube-controller-manager does it, with a provisioner for the
 * sandbox's own class (SANDBOX_PROVISIONER), whose volumes every virtual node can reach.
 *
 * A claim gets the volume that names it, else the smallest free one of its class; one whose class waits for its first consumer gets one only
 * once the scheduler has written into the volume or told the node. What serves what is said once, by core/model. Nothing is remembered here.
 */
#include <string.h>

#include "core/sandbox/controllers/conditions.h"
#include "core/sandbox/controllers/hub.h"
#include "core/sandbox/controllers/volumes.h"

static const char manager[] = "kube-controller-manager";

enum { GATHER_MS = 100 }; /* many volumes that come together cost the waiting claims one look */

#define BOUND_BY "pv.kubernetes.io/bound-by-controller"
#define MADE_BY "pv.kubernetes.io/provisioned-by"
#define BOUND "pv.kubernetes.io/bind-completed"

static const char *meta(const struct stint_json *object, const char *key)
{
	return stint_json_string_or(stint_json_at(object, "metadata", key), "");
}

struct turn {
	struct hub *hub;
	const struct stint_json *claim;
};

static struct stint_json *read_volume(struct hub *hub, const char *name)
{
	return hub_read(hub, &volume_controller, "", name);
}

/* The claim's class, owned by the caller; NULL: it has none, or none that exists. */
static struct stint_json *read_class(const struct turn *turn)
{
	const struct stint_kind *kind = stint_api_kind(turn->hub->api, "storage.k8s.io/v1", "StorageClass");
	const char *name = stint_json_string_or(stint_json_at(turn->claim, "spec", "storageClassName"), "");
	const struct stint_stored *stored = *name ? stint_store_get(turn->hub->api->store, kind, NULL, name) : NULL;
	return stored ? stint_stored_parse(stored) : NULL;
}

/* One that is another claim's needs no tree to be passed over. */
static bool may_serve(const struct stint_stored *volume, const char *claim)
{
	return !memmem(volume->data, volume->length, "\"claimRef\"", 10) || memmem(volume->data, volume->length, claim, strlen(claim));
}

/* The volume that is meant for the claim, else with `any` the smallest that serves it. Owned by the caller. */
static struct stint_json *find_volume(const struct turn *turn, bool any)
{
	stint_auto_store_list list = {0};
	struct stint_json *best = NULL;
	struct volume_match best_match = {0};
	stint_store_list(turn->hub->api->store, stint_api_kind(turn->hub->api, "v1", "PersistentVolume"), NULL, &list);
	for (size_t i = 0; i < list.count && !best_match.meant; i++) {
		if (!may_serve(list.items[i], meta(turn->claim, "name")))
			continue;
		stint_auto_json *volume = stint_stored_parse(list.items[i]);
		const struct volume_match match = volume_match(volume, turn->claim);
		if (!match.serves || (!match.meant && (!any || (best && match.bytes >= best_match.bytes))))
			continue;
		best_match = match;
		stint_json_free(best);
		best = stint_steal(&volume);
	}
	return best;
}

/* ---- binding --------------------------------------------------------------------------------------------------------------------- */

static void annotate(struct stint_json *object, const char *key, const char *value)
{
	stint_json_set_string(stint_json_ensure_object(stint_json_ensure_object(object, "metadata"), "annotations"), key, value);
}

static void refer_to(struct stint_json *volume, const struct stint_json *claim)
{
	struct stint_json *reference = stint_json_ensure_object(stint_json_ensure_object(volume, "spec"), "claimRef");
	stint_json_set_string(reference, "apiVersion", "v1");
	stint_json_set_string(reference, "kind", "PersistentVolumeClaim");
	stint_json_set_string(reference, "namespace", meta(claim, "namespace"));
	stint_json_set_string(reference, "name", meta(claim, "name"));
	stint_json_set_string(reference, "uid", meta(claim, "uid"));
}

static bool give_to_claim(void *user, struct stint_json *volume)
{
	const struct turn *turn = user;
	const struct stint_json *claim = turn->claim, *reference = stint_json_at(volume, "spec", "claimRef");
	if (strcmp(stint_json_string_or(stint_json_get(reference, "uid"), ""), meta(claim, "uid")) == 0)
		return false;
	if (!reference)
		annotate(volume, BOUND_BY, "yes");
	refer_to(volume, claim);
	return true;
}

static bool take_volume(void *user, struct stint_json *claim)
{
	const char *volume = user;
	struct stint_json *spec = stint_json_ensure_object(claim, "spec");
	const bool named = stint_json_get(spec, "volumeName") != NULL;
	if (named && stint_json_at(claim, "metadata", "annotations", BOUND))
		return false;
	if (!named)
		annotate(claim, BOUND_BY, "yes");
	annotate(claim, BOUND, "yes");
	stint_json_set_string(spec, "volumeName", volume);
	return true;
}

static void set_phase(struct hub *hub, const struct controller *controller, const struct stint_json *object, const char *phase)
{
	if (strcmp(stint_json_string_or(stint_json_at(object, "status", "phase"), ""), phase) == 0)
		return;
	struct stint_json *status =
		stint_json_get(object, "status") ? stint_json_dup(stint_json_get(object, "status")) : stint_json_new_object();
	stint_json_set_string(status, "phase", phase);
	hub_write_status(hub, controller, object, status);
}

static void complete_claim(const struct turn *turn, const struct stint_json *volume)
{
	struct stint_json *status = stint_json_new_object();
	stint_json_set_string(status, "phase", "Bound");
	stint_json_set(status, "accessModes", stint_json_dup(stint_json_at(volume, "spec", "accessModes")));
	stint_json_set(status, "capacity", stint_json_dup(stint_json_at(volume, "spec", "capacity")));
	if (stint_json_equal(status, stint_json_get(turn->claim, "status")))
		stint_json_free(status);
	else
		hub_write_status(turn->hub, &volume_claim_controller, turn->claim, status);
}

static void bind_volume(const struct turn *turn, const struct stint_json *volume)
{
	struct hub *hub = turn->hub;
	stint_autofree char *name = stint_strdup(meta(volume, "name"));
	struct stint_api_call call = {.kind = stint_api_kind(hub->api, "v1", "PersistentVolume"), .name = name, .manager = manager};
	struct turn asked = *turn;
	stint_auto_json *given = NULL;
	if (!stint_api_change(hub->api, &call, give_to_claim, &asked, &given, NULL) || !given)
		return;
	set_phase(hub, &volume_controller, given, "Bound");
	struct stint_api_call claim = {.kind = stint_api_kind(hub->api, "v1", "PersistentVolumeClaim"),
		.space = meta(turn->claim, "namespace"),
		.name = meta(turn->claim, "name"),
		.manager = manager};
	if (stint_api_change(hub->api, &claim, take_volume, name, NULL, NULL))
		complete_claim(turn, given);
}

/* ---- the sandbox's own class --------------------------------------------------------------------------------------------------------- */

static struct stint_json *new_volume(const struct turn *turn, const struct stint_json *class)
{
	const struct stint_json *spec = stint_json_get(turn->claim, "spec");
	stint_autofree char *name = stint_format("pvc-%s", meta(turn->claim, "uid"));
	struct stint_json *volume = stint_json_new_object();
	stint_json_set_string(volume, "apiVersion", "v1");
	stint_json_set_string(volume, "kind", "PersistentVolume");
	stint_json_set_string(stint_json_ensure_object(volume, "metadata"), "name", name);
	annotate(volume, MADE_BY, SANDBOX_PROVISIONER);
	struct stint_json *made = stint_json_ensure_object(volume, "spec");
	stint_json_set(stint_json_ensure_object(made, "capacity"), "storage",
		stint_json_dup(stint_json_at(spec, "resources", "requests", "storage")));
	stint_json_set(made, "accessModes", stint_json_dup(stint_json_get(spec, "accessModes")));
	stint_json_set_string(made, "storageClassName", meta(class, "name"));
	stint_json_set_string(made, "volumeMode", stint_json_string_or(stint_json_get(spec, "volumeMode"), "Filesystem"));
	stint_json_set_string(
		made, "persistentVolumeReclaimPolicy", stint_json_string_or(stint_json_get(class, "reclaimPolicy"), "Delete"));
	struct stint_json *source = stint_json_ensure_object(made, "csi");
	stint_json_set_string(source, "driver", SANDBOX_PROVISIONER);
	stint_json_set_string(source, "volumeHandle", name);
	refer_to(volume, turn->claim);
	return volume;
}

static void provision(const struct turn *turn, const struct stint_json *class)
{
	struct hub *hub = turn->hub;
	stint_auto_json *made = NULL, *refusal = NULL;
	struct stint_api_call call = {.kind = stint_api_kind(hub->api, "v1", "PersistentVolume"), .manager = manager};
	if (!stint_api_create(hub->api, &call, new_volume(turn, class), &made, &refusal)) {
		hub_tell(hub, &volume_claim_controller, turn->claim, "Warning", "ProvisioningFailed", "%s",
			stint_json_string_or(stint_json_get(refusal, "message"), "the volume was refused"));
		return;
	}
	hub_tell(hub, &volume_claim_controller, turn->claim, "Normal", "ProvisioningSucceeded", "Successfully provisioned volume %s",
		meta(made, "name"));
	bind_volume(turn, made);
}

/* ---- claims ------------------------------------------------------------------------------------------------------------------------ */

static void sync_named(const struct turn *turn, const char *name)
{
	stint_auto_json *volume = read_volume(turn->hub, name);
	if (!volume && stint_json_at(turn->claim, "metadata", "annotations", BOUND))
		set_phase(turn->hub, &volume_claim_controller, turn->claim, "Lost");
	else if (volume && (!stint_json_at(volume, "spec", "claimRef") || volume_match(volume, turn->claim).meant))
		bind_volume(turn, volume);
}

static void sync_unbound(const struct turn *turn)
{
	stint_auto_json *class = read_class(turn);
	const bool waits = strcmp(stint_json_string_or(stint_json_get(class, "volumeBindingMode"), ""), "WaitForFirstConsumer") == 0;
	const bool chosen = stint_json_at(turn->claim, "metadata", "annotations", "volume.kubernetes.io/selected-node") != NULL;
	stint_auto_json *volume = find_volume(turn, !waits);
	const char *provisioner = stint_json_string_or(stint_json_get(class, "provisioner"), "");
	if (volume)
		bind_volume(turn, volume);
	else if (strcmp(provisioner, SANDBOX_PROVISIONER) == 0 && (!waits || chosen))
		provision(turn, class);
	else if (waits && !chosen)
		hub_tell(turn->hub, &volume_claim_controller, turn->claim, "Normal", "WaitForFirstConsumer",
			"waiting for first consumer to be created before binding");
	else if (*provisioner && strcmp(provisioner, "kubernetes.io/no-provisioner") != 0)
		hub_tell(turn->hub, &volume_claim_controller, turn->claim, "Normal", "ExternalProvisioning",
			"Waiting for a volume to be created by the external provisioner '%s'", provisioner);
	else
		hub_tell(turn->hub, &volume_claim_controller, turn->claim, "Normal", "FailedBinding",
			"no persistent volumes available for this claim and no storage class is set");
}

static void wake_all_volumes(struct hub *hub)
{
	stint_auto_store_list list = {0};
	stint_store_list(hub->api->store, stint_api_kind(hub->api, "v1", "PersistentVolume"), NULL, &list);
	for (size_t i = 0; i < list.count; i++)
		hub_wake(hub, &volume_controller, "", list.items[i]->name, 0);
}

static void sync_claim(struct hub *hub, const char *space, const char *name)
{
	stint_auto_json *claim = hub_read(hub, &volume_claim_controller, space, name);
	const struct turn turn = {hub, claim};
	const char *volume = stint_json_string_or(stint_json_at(claim, "spec", "volumeName"), "");
	if (!claim)
		wake_all_volumes(hub); /* one of them is free, or goes */
	else if (stint_json_at(claim, "metadata", "deletionTimestamp"))
		return;
	else if (*volume)
		sync_named(&turn, volume);
	else
		sync_unbound(&turn);
}

/* ---- volumes ----------------------------------------------------------------------------------------------------------------------- */

static void remove_volume(struct hub *hub, const struct stint_json *volume)
{
	struct stint_api_call call = {
		.kind = stint_api_kind(hub->api, "v1", "PersistentVolume"), .name = meta(volume, "name"), .manager = manager};
	struct stint_delete_options options = {.grace_s = -1, .uid = meta(volume, "uid")};
	stint_api_delete(hub->api, &call, &options, NULL, NULL);
}

static void wake_waiting_claims(struct hub *hub)
{
	stint_auto_store_list list = {0};
	stint_store_list(hub->api->store, stint_api_kind(hub->api, "v1", "PersistentVolumeClaim"), NULL, &list);
	for (size_t i = 0; i < list.count; i++) {
		if (!strstr(list.items[i]->data, "\"phase\":\"Bound\""))
			hub_wake(hub, &volume_claim_controller, list.items[i]->space, list.items[i]->name, GATHER_MS);
	}
}

/* The claim that has lost its volume. */
static void wake_claim_of(struct hub *hub, const char *volume)
{
	stint_autofree char *named = stint_format("\"volumeName\":\"%s\"", volume);
	stint_auto_store_list list = {0};
	stint_store_list(hub->api->store, stint_api_kind(hub->api, "v1", "PersistentVolumeClaim"), NULL, &list);
	for (size_t i = 0; i < list.count; i++) {
		if (strstr(list.items[i]->data, named))
			hub_wake(hub, &volume_claim_controller, list.items[i]->space, list.items[i]->name, 0);
	}
}

static void sync_volume(struct hub *hub, const char *space, const char *name)
{
	(void)space;
	stint_auto_json *volume = read_volume(hub, name);
	const struct stint_json *reference = stint_json_at(volume, "spec", "claimRef");
	if (!volume)
		wake_claim_of(hub, name);
	if (!volume || stint_json_at(volume, "metadata", "deletionTimestamp"))
		return;
	const char *uid = stint_json_string(stint_json_get(reference, "uid"));
	if (!uid || !*uid) {
		set_phase(hub, &volume_controller, volume, "Available");
		wake_waiting_claims(hub);
		return;
	}
	const char *claim_space = stint_json_string_or(stint_json_get(reference, "namespace"), "");
	const char *claim_name = stint_json_string_or(stint_json_get(reference, "name"), "");
	stint_auto_json *claim = hub_read(hub, &volume_claim_controller, claim_space, claim_name);
	if (claim && strcmp(meta(claim, "uid"), uid) == 0) {
		if (strcmp(stint_json_string_or(stint_json_at(claim, "status", "phase"), ""), "Bound") != 0)
			hub_wake(hub, &volume_claim_controller, claim_space, claim_name, 0);
		return;
	}
	set_phase(hub, &volume_controller, volume, "Released");
	const bool ours =
		strcmp(stint_json_string_or(stint_json_at(volume, "metadata", "annotations", MADE_BY), ""), SANDBOX_PROVISIONER) == 0;
	if (ours && strcmp(stint_json_string_or(stint_json_at(volume, "spec", "persistentVolumeReclaimPolicy"), ""), "Delete") == 0)
		remove_volume(hub, volume);
}

static void sync_class(struct hub *hub, const char *space, const char *name)
{
	(void)space;
	(void)name;
	wake_waiting_claims(hub);
}

const struct controller volume_claim_controller = {
	.name = "persistentvolume-controller", .api_version = "v1", .kind = "PersistentVolumeClaim", .sync = sync_claim};
const struct controller volume_controller = {
	.name = "persistentvolume-binder", .api_version = "v1", .kind = "PersistentVolume", .sync = sync_volume};
const struct controller storage_class_controller = {
	.name = "persistentvolume-expander", .api_version = "storage.k8s.io/v1", .kind = "StorageClass", .sync = sync_class};
