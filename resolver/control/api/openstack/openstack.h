/* OpenStack's APIs, for existing clients: Designate's PTRs, and the part of Keystone that they
 * need. */
#ifndef SLUICE_API_OPENSTACK_H
#define SLUICE_API_OPENSTACK_H

#include "resolver/control/api/api.h"

extern const struct api_dialect api_designate, api_keystone;

#endif
