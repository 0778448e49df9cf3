-- What accounts may share, for limits over it. `device_id` is the browser's own, from a cookie that outlives sign-ins;
-- without one, the session itself. `place_index` is a keyed digest of where goods go, without name and number.
alter table identity.session add column device_id uuid;
alter table identity.address add column place_index bytea check (octet_length(place_index) = 32);
