/*
 * Rules of volumes, claims and persistent volumes.
 */
#include "core/sandbox/schema/check.h"

#include <string.h>

static size_t count_sources(const struct stint_json *volume)
{
	size_t count = 0;
	stint_json_each(member, volume)
		count += strcmp(stint_json_key(member), "name") != 0;
	return count;
}

void schema_check_volume(struct check *check, const struct stint_json *volume)
{
	schema_check_name(check, "name", stint_json_string(stint_json_get(volume, "name")), NAME_LABEL);
	bool first = true;
	if (count_sources(volume) > 1) {
		stint_json_each(member, volume) {
			if (strcmp(stint_json_key(member), "name") == 0)
				continue;
			if (!first)
				schema_check_forbidden(check, stint_json_key(member), "may not specify more than 1 volume type");
			first = false;
		}
	}
	const struct stint_json *secret = stint_json_get(volume, "secret"), *map = stint_json_get(volume, "configMap");
	if (secret && schema_is_zero(stint_json_get(secret, "secretName")))
		schema_check_missing(check, "secret.secretName", NULL);
	if (map && schema_is_zero(stint_json_get(map, "name")))
		schema_check_missing(check, "configMap.name", NULL);
	const struct stint_json *size = stint_json_at(volume, "emptyDir", "sizeLimit");
	if (size && schema_quantity_sign(stint_json_string_or(size, "0")) < 0)
		schema_check_forbidden(check, "emptyDir.sizeLimit", "SizeLimit field must be a valid resource quantity");
}

static void check_access_modes(struct check *check, const struct stint_json *spec)
{
	const struct stint_json *modes = stint_json_get(spec, "accessModes");
	bool alone = false;
	stint_json_each(mode, modes)
		alone |= strcmp(stint_json_string_or(mode, ""), "ReadWriteOncePod") == 0;
	if (alone && stint_json_count(modes) > 1)
		schema_check_forbidden(check, "accessModes", "may not use ReadWriteOncePod with other access modes");
}

void schema_check_claim_spec(struct check *check, const struct stint_json *spec)
{
	if (!stint_json_first(stint_json_get(spec, "accessModes")))
		schema_check_missing(check, "accessModes", "at least 1 access mode is required");
	check_access_modes(check, spec);
	const struct stint_json *storage = stint_json_at(spec, "resources", "requests", "storage");
	if (!storage)
		schema_check_missing(check, "resources[storage]", NULL);
	else if (schema_quantity_sign(stint_json_string_or(storage, "0")) <= 0)
		schema_check_bad(check, "resources[storage]", storage, "must be greater than zero");
	const char *class = stint_json_string_or(stint_json_get(spec, "storageClassName"), "");
	if (*class)
		schema_check_name(check, "storageClassName", class, NAME_SUBDOMAIN);
}

void schema_check_persistent_volume(struct check *check, const struct stint_json *volume)
{
	const struct stint_json *spec = stint_json_get(volume, "spec");
	if (!stint_json_first(stint_json_get(spec, "accessModes")))
		schema_check_missing(check, "spec.accessModes", NULL);
	if (!stint_json_at(spec, "capacity", "storage"))
		schema_check_missing(check, "spec.capacity", NULL);
	static const char *const sources[] = {"hostPath", "nfs", "local", "csi", "iscsi", "rbd", "cephfs", "fc", "glusterfs", "cinder",
		"gcePersistentDisk", "awsElasticBlockStore", "azureDisk", "azureFile", "vsphereVolume", "flexVolume", "flocker", "quobyte",
		"photonPersistentDisk", "portworxVolume", "scaleIO", "storageos"};
	int count = 0;
	for (size_t i = 0; i < STINT_COUNT(sources); i++)
		count += stint_json_get(spec, sources[i]) != NULL;
	if (count == 0)
		schema_check_missing(check, "spec", "must specify a volume type");
	else if (count > 1)
		schema_check_forbidden(check, "spec", "may not specify more than 1 volume type");
}
