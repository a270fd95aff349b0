/*
 * nvml: opens libnvidia-ml.so.1, asks it for the one visible device and closes it again. See nvml.h.
 *
 * State: none outside of one call. Invariant: whatever was opened (library, NVML session) is closed on every way out.
 */
#include <agent/nvml.h>

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

/* The ABI, as far as it is used: every function returns 0 on success; a device is an opaque pointer. */
enum { NVML_OK = 0, NVML_MIG_ENABLED = 1, NVML_NOT_SUPPORTED = 3 };

struct nvml_memory {
	unsigned long long total, free, used; /* bytes */
};

struct nvml {
	void *library;
	int (*init)(void);
	int (*shutdown)(void);
	int (*count)(unsigned *count);
	int (*by_index)(unsigned index, void **device);
	int (*uuid)(void *device, char *out, unsigned size);
	int (*name)(void *device, char *out, unsigned size);
	int (*memory)(void *device, struct nvml_memory *out);
	int (*mig_mode)(void *device, unsigned *current, unsigned *pending); /* may be NULL: older than MIG */
	const char *(*error_text)(int code);
};

static bool fail(struct stint_error **err, const char *cause, const char *message)
{
	stint_fail(err, STINT_FAILED, "%s", message);
	if (err)
		snprintf((*err)->reason, sizeof((*err)->reason), "%s", cause);
	return false;
}

static bool fail_driver(const struct nvml *nvml, struct stint_error **err, const char *what, int code)
{
	stint_autofree char *message = stint_format("the driver could not %s: %s (NVML error %d)", what, nvml->error_text(code), code);
	return fail(err, "DriverError", message);
}

/* A function pointer out of an object pointer: what dlsym(3) asks for and ISO C has no cast for. */
static bool find(void *library, const char *name, void *function_pointer)
{
	void *symbol = dlsym(library, name);
	memcpy(function_pointer, &symbol, sizeof(symbol));
	return symbol;
}

static bool load(struct nvml *nvml, const char *name, struct stint_error **err)
{
	nvml->library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
	if (!nvml->library) {
		stint_autofree char *message = stint_format(
			"NVML is not there (%s): this container must run with the NVIDIA runtime; set the runtime class of the holders",
			dlerror());
		return fail(err, "LibraryMissing", message);
	}
	const struct {
		const char *name;
		void *into;
	} symbols[] = {
		{"nvmlInit_v2", &nvml->init},
		{"nvmlShutdown", &nvml->shutdown},
		{"nvmlDeviceGetCount_v2", &nvml->count},
		{"nvmlDeviceGetHandleByIndex_v2", &nvml->by_index},
		{"nvmlDeviceGetUUID", &nvml->uuid},
		{"nvmlDeviceGetName", &nvml->name},
		{"nvmlDeviceGetMemoryInfo", &nvml->memory},
		{"nvmlErrorString", &nvml->error_text},
	};
	for (size_t i = 0; i < STINT_COUNT(symbols); i++) {
		if (!find(nvml->library, symbols[i].name, symbols[i].into)) {
			stint_autofree char *message =
				stint_format("%s has no %s: the driver of this node is too old for stint", name, symbols[i].name);
			return fail(err, "LibraryTooOld", message);
		}
	}
	find(nvml->library, "nvmlDeviceGetMigMode", &nvml->mig_mode);
	return true;
}

static bool ask(const struct nvml *nvml, struct stint_nvml_device *device, struct stint_error **err)
{
	unsigned count = 0;
	int code = nvml->count(&count);
	if (code != NVML_OK)
		return fail_driver(nvml, err, "count its devices", code);
	if (count == 0)
		return fail(
			err, "NoDevice", "no GPU is visible here: the pod must ask for one nvidia.com/gpu and run with the NVIDIA runtime");
	if (count > 1) {
		stint_autofree char *message =
			stint_format("%u GPUs are visible here where one was asked for: is NVIDIA_VISIBLE_DEVICES set to "
				     "\"all\" on this node, or a privileged runtime class in use?",
				count);
		return fail(err, "SeveralDevices", message);
	}
	void *handle = NULL;
	code = nvml->by_index(0, &handle);
	if (code != NVML_OK)
		return fail_driver(nvml, err, "open its device", code);
	unsigned current = 0, pending = 0;
	if (nvml->mig_mode && nvml->mig_mode(handle, &current, &pending) == NVML_OK && current == NVML_MIG_ENABLED)
		return fail(err, "MigEnabled", "this GPU is in MIG mode and cannot be shared by fractions: ask for a MIG profile instead");
	code = nvml->uuid(handle, device->uuid, sizeof(device->uuid));
	if (code != NVML_OK)
		return fail_driver(nvml, err, "read the UUID of its device", code);
	device->uuid[sizeof(device->uuid) - 1] = '\0';
	if (nvml->name(handle, device->name, sizeof(device->name)) != NVML_OK)
		device->name[0] = '\0';
	device->name[sizeof(device->name) - 1] = '\0';
	struct nvml_memory memory = {0};
	device->memory_mib = nvml->memory(handle, &memory) == NVML_OK ? (int64_t)(memory.total >> 20) : -1;
	return true;
}

bool stint_nvml_only_device(const char *library, struct stint_nvml_device *device, struct stint_error **err)
{
	struct nvml nvml = {0};
	*device = (struct stint_nvml_device){.memory_mib = -1};
	bool done = load(&nvml, library ? library : "libnvidia-ml.so.1", err);
	if (done) {
		const int code = nvml.init();
		done = code == NVML_OK ? ask(&nvml, device, err) : fail_driver(&nvml, err, "be reached", code);
		if (code == NVML_OK)
			nvml.shutdown();
	}
	if (nvml.library)
		dlclose(nvml.library);
	return done;
}
