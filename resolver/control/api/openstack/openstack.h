/* OpenStack's APIs, for the clients that people have: Designate's PTRs, and what of Keystone its
 * clients need. */
#ifndef SLUICE_API_OPENSTACK_H
#define SLUICE_API_OPENSTACK_H

#include "resolver/control/api/api.h"

extern const struct api_dialect api_designate, api_keystone;

#endif
