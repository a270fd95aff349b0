/*
 * nvml: the few facts that a holder needs from NVIDIA's management library, which is opened at run time.
 *
 * The library is there only where the NVIDIA container runtime has put it, so nothing links against it and no header of NVIDIA is
 * needed: the versioned symbols are declared in nvml.c by what the library's documented ABI says. The library is closed again before
 * the call returns: a holder that idles keeps no device open.
 */
#ifndef STINT_AGENT_NVML_H
#define STINT_AGENT_NVML_H

#include <stint/base.h>

enum {
	STINT_NVML_UUID_SIZE = 96, /* NVML_DEVICE_UUID_V2_BUFFER_SIZE */
	STINT_NVML_NAME_SIZE = 96, /* NVML_DEVICE_NAME_V2_BUFFER_SIZE */
};

struct stint_nvml_device {
	char uuid[STINT_NVML_UUID_SIZE]; /* "GPU-..." */
	char name[STINT_NVML_NAME_SIZE]; /* empty when the driver does not say */
	int64_t memory_mib; /* -1: the driver does not say */
};

/*
 * The one device that this process can see. library: a file name for dlopen, NULL for libnvidia-ml.so.1. An error carries the
 * cause as its reason: LibraryMissing, LibraryTooOld, DriverError, NoDevice, SeveralDevices, MigEnabled. Blocks while the driver does.
 */
bool stint_nvml_only_device(const char *library, struct stint_nvml_device *device, struct stint_error **err);

#endif
