CREATE TABLE [org_unit] (
  [id] BINARY(16) NOT NULL CONSTRAINT [org_unit_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [parent_id] BINARY(16) NULL,
  [kind] NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'office',
  [code] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [name] NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NULL,
  [time_zone] NVARCHAR(120) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'UTC',
  [calendar] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX org_unit_by_partition ON [org_unit] ([partition], lsn);
CREATE TABLE [role] (
  [id] BINARY(16) NOT NULL CONSTRAINT [role_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [code] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [name] NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NULL,
  [kind] NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'rep',
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX role_by_partition ON [role] ([partition], lsn);
CREATE TABLE [permission] (
  [id] BINARY(16) NOT NULL CONSTRAINT [permission_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [role_id] BINARY(16) NOT NULL,
  [function_code] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [scope_rule] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX permission_by_partition ON [permission] ([partition], lsn);
CREATE INDEX permission_by_role_id ON [permission] ([role_id]);
CREATE TABLE [territory] (
  [id] BINARY(16) NOT NULL CONSTRAINT [territory_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [parent_id] BINARY(16) NULL,
  [org_unit_id] BINARY(16) NOT NULL,
  [level] BIGINT NOT NULL DEFAULT 0,
  [code] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [name] NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NULL,
  [valid_from] DATETIME NULL,
  [valid_to] DATETIME NULL,
  [path] NVARCHAR(1800) COLLATE Latin1_General_100_BIN2 NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX territory_by_partition ON [territory] ([partition], lsn);
CREATE INDEX territory_by_parent_id ON [territory] ([parent_id]);
CREATE TABLE [legal_party] (
  [id] BINARY(16) NOT NULL CONSTRAINT [legal_party_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [patch_id] BINARY(16) NULL,
  [code] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [name] NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'',
  [tax_number] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NULL,
  [vat_number] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NULL,
  [bank] NVARCHAR(800) COLLATE Latin1_General_100_BIN2 NULL,
  [address] NVARCHAR(800) COLLATE Latin1_General_100_BIN2 NULL,
  [status] NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'active',
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX legal_party_by_partition ON [legal_party] ([partition], lsn);
CREATE INDEX legal_party_by_patch_id ON [legal_party] ([patch_id]);
CREATE INDEX legal_party_by_code ON [legal_party] ([code]);
CREATE TABLE [distributor] (
  [id] BINARY(16) NOT NULL CONSTRAINT [distributor_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [legal_party_id] BINARY(16) NULL,
  [code] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [name] NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NULL,
  [service_territories] NVARCHAR(2000) COLLATE Latin1_General_100_BIN2 NULL,
  [cut_off_time] NVARCHAR(10) COLLATE Latin1_General_100_BIN2 NULL,
  [status] NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'active',
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX distributor_by_partition ON [distributor] ([partition], lsn);
CREATE TABLE [position] (
  [id] BINARY(16) NOT NULL CONSTRAINT [position_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [territory_id] BINARY(16) NULL,
  [role_id] BINARY(16) NOT NULL,
  [parent_position_id] BINARY(16) NULL,
  [distributor_id] BINARY(16) NULL,
  [code] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [name] NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NULL,
  [team] NVARCHAR(120) COLLATE Latin1_General_100_BIN2 NULL,
  [status] NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'active',
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX position_by_partition ON [position] ([partition], lsn);
CREATE INDEX position_by_territory_id ON [position] ([territory_id]);
CREATE INDEX position_by_parent_position_id ON [position] ([parent_position_id]);
CREATE TABLE [app_user] (
  [id] BINARY(16) NOT NULL CONSTRAINT [app_user_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [login] NVARCHAR(160) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [person] NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NULL,
  [org_unit_id] BINARY(16) NULL,
  [auth_kind] NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'local',
  [status] NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'active',
  [verifier] NVARCHAR(800) COLLATE Latin1_General_100_BIN2 NULL,
  [mail] NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX app_user_by_partition ON [app_user] ([partition], lsn);
CREATE INDEX app_user_by_login ON [app_user] ([login]);
CREATE TABLE [assignment] (
  [id] BINARY(16) NOT NULL CONSTRAINT [assignment_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [position_id] BINARY(16) NOT NULL,
  [user_id] BINARY(16) NOT NULL,
  [valid_from] DATETIME NULL,
  [valid_to] DATETIME NULL,
  [kind] NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'main',
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX assignment_by_partition ON [assignment] ([partition], lsn);
CREATE INDEX assignment_by_position_id ON [assignment] ([position_id]);
CREATE INDEX assignment_by_user_id ON [assignment] ([user_id]);
CREATE TABLE [sign_in] (
  [id] BINARY(16) NOT NULL CONSTRAINT [sign_in_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [position_id] BINARY(16) NOT NULL,
  [user_id] BINARY(16) NOT NULL,
  [login] NVARCHAR(160) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [person] NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NULL,
  [verifier] NVARCHAR(800) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX sign_in_by_partition ON [sign_in] ([partition], lsn);
CREATE INDEX sign_in_by_position_id ON [sign_in] ([position_id]);
CREATE TABLE [workplace] (
  [id] BINARY(16) NOT NULL CONSTRAINT [workplace_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [code] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [name] NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NULL,
  [kind] NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'mobile',
  [role_id] BINARY(16) NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX workplace_by_partition ON [workplace] ([partition], lsn);
CREATE TABLE [workplace_function] (
  [id] BINARY(16) NOT NULL CONSTRAINT [workplace_function_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [workplace_id] BINARY(16) NOT NULL,
  [function_code] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [enabled] BIT NOT NULL DEFAULT 1,
  [parameters] NVARCHAR(max) COLLATE Latin1_General_100_BIN2 NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX workplace_function_by_partition ON [workplace_function] ([partition], lsn);
CREATE INDEX workplace_function_by_workplace_id ON [workplace_function] ([workplace_id]);
CREATE TABLE [gateway] (
  [id] BINARY(16) NOT NULL CONSTRAINT [gateway_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [org_unit_id] BINARY(16) NULL,
  [distributor_id] BINARY(16) NULL,
  [code] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [name] NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NULL,
  [addresses] NVARCHAR(2000) COLLATE Latin1_General_100_BIN2 NULL,
  [enrolment_address] NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NULL,
  [protocol] NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'fieldmesh',
  [direction] NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NULL,
  [schedule] NVARCHAR(800) COLLATE Latin1_General_100_BIN2 NULL,
  [credentials_reference] NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NULL,
  [status] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'registered',
  [certificate_fingerprint] NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
  [bus_key] NVARCHAR(160) COLLATE Latin1_General_100_BIN2 NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX gateway_by_partition ON [gateway] ([partition], lsn);
CREATE TABLE [device] (
  [id] BINARY(16) NOT NULL CONSTRAINT [device_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [code] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [position_id] BINARY(16) NULL,
  [gateway_id] BINARY(16) NULL,
  [user_id] BINARY(16) NULL,
  [hardware_id] NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NULL,
  [kind] NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'main',
  [stands_in_for] BINARY(16) NULL,
  [state] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'active',
  [epoch_floor] BIGINT NOT NULL DEFAULT 0,
  [certificate_fingerprint] NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
  [certificate_serial] NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
  [document_prefix] NVARCHAR(20) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'',
  [app_version] NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
  [must_full_sync] BIT NOT NULL DEFAULT 0,
  [wipe_order] VARBINARY(max) NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX device_by_partition ON [device] ([partition], lsn);
CREATE INDEX device_by_position_id ON [device] ([position_id]);
CREATE INDEX device_by_gateway_id ON [device] ([gateway_id]);
CREATE TABLE [number_range] (
  [id] BINARY(16) NOT NULL CONSTRAINT [number_range_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [device_id] BINARY(16) NOT NULL,
  [document_type] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [prefix] NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [last_number] BIGINT NOT NULL DEFAULT 0,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX number_range_by_partition ON [number_range] ([partition], lsn);
CREATE INDEX number_range_by_device_id ON [number_range] ([device_id]);
CREATE TABLE [gateway_position] (
  [id] BINARY(16) NOT NULL CONSTRAINT [gateway_position_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [gateway_id] BINARY(16) NOT NULL,
  [position_id] BINARY(16) NOT NULL,
  [kind] NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'home',
  [expires_at] DATETIME2(6) NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX gateway_position_by_partition ON [gateway_position] ([partition], lsn);
CREATE INDEX gateway_position_by_gateway_id ON [gateway_position] ([gateway_id]);
CREATE INDEX gateway_position_by_position_id ON [gateway_position] ([position_id]);
CREATE TABLE [subscription] (
  [id] BINARY(16) NOT NULL CONSTRAINT [subscription_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [position_id] BINARY(16) NOT NULL,
  [target_partition] BIGINT NOT NULL DEFAULT 0,
  [target_kind] NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [target_key] BINARY(16) NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX subscription_by_partition ON [subscription] ([partition], lsn);
CREATE INDEX subscription_by_position_id ON [subscription] ([position_id]);
CREATE TABLE [outlet] (
  [id] BINARY(16) NOT NULL CONSTRAINT [outlet_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [patch_id] BINARY(16) NULL,
  [legal_party_id] BINARY(16) NULL,
  [distributor_id] BINARY(16) NULL,
  [territory_id] BINARY(16) NULL,
  [code] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [name] NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'',
  [channel] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NULL,
  [sub_channel] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NULL,
  [class] NVARCHAR(20) COLLATE Latin1_General_100_BIN2 NULL,
  [potential] NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NULL,
  [address] NVARCHAR(800) COLLATE Latin1_General_100_BIN2 NULL,
  [city] NVARCHAR(200) COLLATE Latin1_General_100_BIN2 NULL,
  [postal_code] NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NULL,
  [latitude] NUMERIC(9, 6) NULL,
  [longitude] NUMERIC(9, 6) NULL,
  [geo_source] NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NULL,
  [opening_hours] NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NULL,
  [minimum_order] NUMERIC(15, 2) NULL,
  [status] NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'active',
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX outlet_by_partition ON [outlet] ([partition], lsn);
CREATE INDEX outlet_by_patch_id ON [outlet] ([patch_id]);
CREATE INDEX outlet_by_legal_party_id ON [outlet] ([legal_party_id]);
CREATE INDEX outlet_by_code ON [outlet] ([code]);
CREATE TABLE [outlet_assignment] (
  [id] BINARY(16) NOT NULL CONSTRAINT [outlet_assignment_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [outlet_id] BINARY(16) NOT NULL,
  [position_id] BINARY(16) NOT NULL,
  [valid_from] DATETIME NULL,
  [valid_to] DATETIME NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX outlet_assignment_by_partition ON [outlet_assignment] ([partition], lsn);
CREATE INDEX outlet_assignment_by_outlet_id ON [outlet_assignment] ([outlet_id]);
CREATE INDEX outlet_assignment_by_position_id ON [outlet_assignment] ([position_id]);
CREATE TABLE [outlet_change_request] (
  [id] BINARY(16) NOT NULL CONSTRAINT [outlet_change_request_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [position_id] BINARY(16) NOT NULL,
  [outlet_id] BINARY(16) NULL,
  [payload] NVARCHAR(max) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'{}',
  [state] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'new',
  [decided_at] DATETIME2(6) NULL,
  [decision_text] NVARCHAR(800) COLLATE Latin1_General_100_BIN2 NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX outlet_change_request_by_partition ON [outlet_change_request] ([partition], lsn);
CREATE INDEX outlet_change_request_by_position_id ON [outlet_change_request] ([position_id]);
CREATE TABLE [outlet_licence] (
  [id] BINARY(16) NOT NULL CONSTRAINT [outlet_licence_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [outlet_id] BINARY(16) NOT NULL,
  [type] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'',
  [number] NVARCHAR(120) COLLATE Latin1_General_100_BIN2 NULL,
  [valid_from] DATETIME NULL,
  [valid_to] DATETIME NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX outlet_licence_by_partition ON [outlet_licence] ([partition], lsn);
CREATE INDEX outlet_licence_by_outlet_id ON [outlet_licence] ([outlet_id]);
CREATE TABLE [contact] (
  [id] BINARY(16) NOT NULL CONSTRAINT [contact_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [outlet_id] BINARY(16) NOT NULL,
  [name] NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'',
  [role] NVARCHAR(160) COLLATE Latin1_General_100_BIN2 NULL,
  [phone] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NULL,
  [email] NVARCHAR(240) COLLATE Latin1_General_100_BIN2 NULL,
  [consent] BIT NOT NULL DEFAULT 0,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX contact_by_partition ON [contact] ([partition], lsn);
CREATE INDEX contact_by_outlet_id ON [contact] ([outlet_id]);
CREATE TABLE [price_list] (
  [id] BINARY(16) NOT NULL CONSTRAINT [price_list_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [code] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [name] NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NULL,
  [distributor_id] BINARY(16) NULL,
  [currency] NVARCHAR(6) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'EUR',
  [vat_mode] NVARCHAR(20) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'net',
  [valid_from] DATETIME NULL,
  [valid_to] DATETIME NULL,
  [priority] BIGINT NOT NULL DEFAULT 0,
  [is_default] BIT NOT NULL DEFAULT 0,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX price_list_by_partition ON [price_list] ([partition], lsn);
CREATE TABLE [contract] (
  [id] BINARY(16) NOT NULL CONSTRAINT [contract_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [legal_party_id] BINARY(16) NOT NULL,
  [distributor_id] BINARY(16) NULL,
  [price_list_id] BINARY(16) NULL,
  [code] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [payment_form] NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'credit',
  [credit_limit] NUMERIC(15, 2) NULL,
  [credit_days] BIGINT NULL,
  [valid_from] DATETIME NULL,
  [valid_to] DATETIME NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX contract_by_partition ON [contract] ([partition], lsn);
CREATE INDEX contract_by_legal_party_id ON [contract] ([legal_party_id]);
CREATE TABLE [debt_limit] (
  [id] BINARY(16) NOT NULL CONSTRAINT [debt_limit_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [contract_id] BINARY(16) NOT NULL,
  [credit_limit] NUMERIC(15, 2) NULL,
  [limit_days] BIGINT NULL,
  [balance] NUMERIC(15, 2) NULL,
  [overdue] NUMERIC(15, 2) NULL,
  [blocked] BIT NOT NULL DEFAULT 0,
  [as_of] DATETIME2(6) NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX debt_limit_by_partition ON [debt_limit] ([partition], lsn);
CREATE INDEX debt_limit_by_contract_id ON [debt_limit] ([contract_id]);
CREATE TABLE [debt_doc] (
  [id] BINARY(16) NOT NULL CONSTRAINT [debt_doc_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [outlet_id] BINARY(16) NOT NULL,
  [contract_id] BINARY(16) NULL,
  [distributor_id] BINARY(16) NULL,
  [number] NVARCHAR(120) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'',
  [date] DATETIME NULL,
  [due_date] DATETIME NULL,
  [amount] NUMERIC(15, 2) NULL,
  [rest] NUMERIC(15, 2) NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX debt_doc_by_partition ON [debt_doc] ([partition], lsn);
CREATE INDEX debt_doc_by_outlet_id ON [debt_doc] ([outlet_id]);
CREATE INDEX debt_doc_by_number ON [debt_doc] ([number]);
CREATE TABLE [product_group] (
  [id] BINARY(16) NOT NULL CONSTRAINT [product_group_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [parent_id] BINARY(16) NULL,
  [code] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [name] NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX product_group_by_partition ON [product_group] ([partition], lsn);
CREATE TABLE [outlet_discount] (
  [id] BINARY(16) NOT NULL CONSTRAINT [outlet_discount_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [outlet_id] BINARY(16) NOT NULL,
  [contract_id] BINARY(16) NULL,
  [product_group_id] BINARY(16) NULL,
  [percent] NUMERIC(7, 3) NULL,
  [valid_from] DATETIME NULL,
  [valid_to] DATETIME NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX outlet_discount_by_partition ON [outlet_discount] ([partition], lsn);
CREATE INDEX outlet_discount_by_outlet_id ON [outlet_discount] ([outlet_id]);
CREATE TABLE [product] (
  [id] BINARY(16) NOT NULL CONSTRAINT [product_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [product_group_id] BINARY(16) NULL,
  [code] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [brand] NVARCHAR(240) COLLATE Latin1_General_100_BIN2 NULL,
  [name] NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'',
  [vat_percent] NUMERIC(7, 3) NULL,
  [excise] BIT NOT NULL DEFAULT 0,
  [shelf_life_days] BIGINT NULL,
  [weight_kg] NUMERIC(14, 3) NULL,
  [volume_ml] BIGINT NULL,
  [status] NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'active',
  [is_competitor] BIT NOT NULL DEFAULT 0,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX product_by_partition ON [product] ([partition], lsn);
CREATE INDEX product_by_product_group_id ON [product] ([product_group_id]);
CREATE TABLE [container_balance] (
  [id] BINARY(16) NOT NULL CONSTRAINT [container_balance_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [outlet_id] BINARY(16) NOT NULL,
  [product_id] BINARY(16) NOT NULL,
  [quantity] NUMERIC(14, 3) NOT NULL DEFAULT 0.000,
  [deposit] NUMERIC(15, 5) NULL,
  [as_of] DATETIME2(6) NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX container_balance_by_partition ON [container_balance] ([partition], lsn);
CREATE INDEX container_balance_by_outlet_id ON [container_balance] ([outlet_id]);
CREATE TABLE [product_unit] (
  [id] BINARY(16) NOT NULL CONSTRAINT [product_unit_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [product_id] BINARY(16) NOT NULL,
  [unit_code] NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'piece',
  [factor] NUMERIC(14, 3) NOT NULL DEFAULT 1.000,
  [is_order_unit] BIT NOT NULL DEFAULT 1,
  [order_multiple] NUMERIC(14, 3) NULL,
  [minimum_quantity] NUMERIC(14, 3) NULL,
  [maximum_quantity] NUMERIC(14, 3) NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX product_unit_by_partition ON [product_unit] ([partition], lsn);
CREATE INDEX product_unit_by_product_id ON [product_unit] ([product_id]);
CREATE TABLE [product_barcode] (
  [id] BINARY(16) NOT NULL CONSTRAINT [product_barcode_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [product_unit_id] BINARY(16) NOT NULL,
  [gtin] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'',
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX product_barcode_by_partition ON [product_barcode] ([partition], lsn);
CREATE INDEX product_barcode_by_gtin ON [product_barcode] ([gtin]);
CREATE TABLE [product_xref] (
  [id] BINARY(16) NOT NULL CONSTRAINT [product_xref_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [distributor_id] BINARY(16) NOT NULL,
  [local_code] NVARCHAR(120) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'',
  [product_id] BINARY(16) NOT NULL,
  [unit_factor] NUMERIC(14, 3) NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX product_xref_by_partition ON [product_xref] ([partition], lsn);
CREATE INDEX product_xref_by_product_id ON [product_xref] ([product_id]);
CREATE TABLE [price] (
  [id] BINARY(16) NOT NULL CONSTRAINT [price_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [price_list_id] BINARY(16) NOT NULL,
  [product_unit_id] BINARY(16) NOT NULL,
  [valid_from] DATETIME NULL,
  [amount] NUMERIC(15, 5) NOT NULL,
  [minimum_amount] NUMERIC(15, 5) NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX price_by_partition ON [price] ([partition], lsn);
CREATE INDEX price_by_product_unit_id ON [price] ([product_unit_id]);
CREATE TABLE [assortment] (
  [id] BINARY(16) NOT NULL CONSTRAINT [assortment_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [distributor_id] BINARY(16) NULL,
  [code] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [channel] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NULL,
  [class] NVARCHAR(20) COLLATE Latin1_General_100_BIN2 NULL,
  [outlet_rule] NVARCHAR(800) COLLATE Latin1_General_100_BIN2 NULL,
  [product_id] BINARY(16) NOT NULL,
  [rank] BIGINT NULL,
  [required] BIT NOT NULL DEFAULT 0,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX assortment_by_partition ON [assortment] ([partition], lsn);
CREATE INDEX assortment_by_product_id ON [assortment] ([product_id]);
CREATE TABLE [promotion] (
  [id] BINARY(16) NOT NULL CONSTRAINT [promotion_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [code] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [name] NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NULL,
  [kind] NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'percent',
  [valid_from] DATETIME NULL,
  [valid_to] DATETIME NULL,
  [stackable] BIT NOT NULL DEFAULT 0,
  [budget] NUMERIC(15, 2) NULL,
  [scope_rule] NVARCHAR(4000) COLLATE Latin1_General_100_BIN2 NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX promotion_by_partition ON [promotion] ([partition], lsn);
CREATE TABLE [promo_condition] (
  [id] BINARY(16) NOT NULL CONSTRAINT [promo_condition_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [promotion_id] BINARY(16) NOT NULL,
  [product_set] NVARCHAR(max) COLLATE Latin1_General_100_BIN2 NULL,
  [threshold] NUMERIC(14, 3) NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX promo_condition_by_partition ON [promo_condition] ([partition], lsn);
CREATE INDEX promo_condition_by_promotion_id ON [promo_condition] ([promotion_id]);
CREATE TABLE [promo_reward] (
  [id] BINARY(16) NOT NULL CONSTRAINT [promo_reward_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [promotion_id] BINARY(16) NOT NULL,
  [product_set] NVARCHAR(max) COLLATE Latin1_General_100_BIN2 NULL,
  [kind] NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NULL,
  [reward] NUMERIC(15, 5) NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX promo_reward_by_partition ON [promo_reward] ([partition], lsn);
CREATE INDEX promo_reward_by_promotion_id ON [promo_reward] ([promotion_id]);
CREATE TABLE [warehouse] (
  [id] BINARY(16) NOT NULL CONSTRAINT [warehouse_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [org_unit_id] BINARY(16) NULL,
  [distributor_id] BINARY(16) NULL,
  [position_id] BINARY(16) NULL,
  [code] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [name] NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NULL,
  [kind] NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'main',
  [vehicle] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NULL,
  [cut_off_time] NVARCHAR(10) COLLATE Latin1_General_100_BIN2 NULL,
  [warning_minutes] BIGINT NULL,
  [time_zone] NVARCHAR(120) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'UTC',
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX warehouse_by_partition ON [warehouse] ([partition], lsn);
CREATE TABLE [stock] (
  [id] BINARY(16) NOT NULL CONSTRAINT [stock_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [warehouse_id] BINARY(16) NOT NULL,
  [product_id] BINARY(16) NOT NULL,
  [lot] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NULL,
  [quantity] NUMERIC(14, 3) NOT NULL DEFAULT 0.000,
  [reserved] NUMERIC(14, 3) NOT NULL DEFAULT 0.000,
  [as_of] DATETIME2(6) NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX stock_by_partition ON [stock] ([partition], lsn);
CREATE INDEX stock_by_product_id ON [stock] ([product_id]);
CREATE TABLE [visit_plan] (
  [id] BINARY(16) NOT NULL CONSTRAINT [visit_plan_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [position_id] BINARY(16) NOT NULL,
  [date] DATETIME NOT NULL,
  [outlet_id] BINARY(16) NOT NULL,
  [sequence_number] BIGINT NOT NULL DEFAULT 0,
  [source] NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'route',
  [works] NVARCHAR(800) COLLATE Latin1_General_100_BIN2 NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX visit_plan_by_partition ON [visit_plan] ([partition], lsn);
CREATE INDEX visit_plan_by_date ON [visit_plan] ([date]);
CREATE INDEX visit_plan_by_age ON [visit_plan] ([partition], [date]);
CREATE TABLE [visit] (
  [id] BINARY(16) NOT NULL CONSTRAINT [visit_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [visit_plan_id] BINARY(16) NULL,
  [outlet_id] BINARY(16) NOT NULL,
  [position_id] BINARY(16) NULL,
  [user_id] BINARY(16) NULL,
  [started_at] DATETIME2(6) NULL,
  [finished_at] DATETIME2(6) NULL,
  [latitude] NUMERIC(9, 6) NULL,
  [longitude] NUMERIC(9, 6) NULL,
  [accuracy_m] BIGINT NULL,
  [distance_m] BIGINT NULL,
  [geo_band] NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NULL,
  [result_code] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NULL,
  [reason_code] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX visit_by_partition ON [visit] ([partition], lsn);
CREATE INDEX visit_by_outlet_id ON [visit] ([outlet_id]);
CREATE TABLE [sales_order] (
  [id] BINARY(16) NOT NULL CONSTRAINT [sales_order_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [number] NVARCHAR(120) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'',
  [outlet_id] BINARY(16) NOT NULL,
  [position_id] BINARY(16) NULL,
  [contract_id] BINARY(16) NULL,
  [distributor_id] BINARY(16) NULL,
  [warehouse_id] BINARY(16) NULL,
  [price_list_id] BINARY(16) NULL,
  [visit_id] BINARY(16) NULL,
  [date] DATETIME NULL,
  [delivery_date] DATETIME NULL,
  [payment_form] NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'credit',
  [vat_mode] NVARCHAR(20) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'net',
  [amount] NUMERIC(15, 2) NOT NULL DEFAULT 0.00,
  [is_return] BIT NOT NULL DEFAULT 0,
  [by_phone] BIT NOT NULL DEFAULT 0,
  [state] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'saved',
  [comment] NVARCHAR(800) COLLATE Latin1_General_100_BIN2 NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX sales_order_by_partition ON [sales_order] ([partition], lsn);
CREATE INDEX sales_order_by_number ON [sales_order] ([number]);
CREATE INDEX sales_order_by_outlet_id ON [sales_order] ([outlet_id]);
CREATE TABLE [order_line] (
  [id] BINARY(16) NOT NULL CONSTRAINT [order_line_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [order_id] BINARY(16) NOT NULL,
  [line_number] BIGINT NOT NULL DEFAULT 0,
  [product_unit_id] BINARY(16) NOT NULL,
  [quantity] NUMERIC(14, 3) NOT NULL DEFAULT 0.000,
  [price] NUMERIC(15, 5) NULL,
  [discount_percent] NUMERIC(7, 3) NULL,
  [promotion_id] BINARY(16) NULL,
  [amount] NUMERIC(15, 2) NOT NULL DEFAULT 0.00,
  [accepted_quantity] NUMERIC(14, 3) NULL,
  [reject_reason] NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX order_line_by_partition ON [order_line] ([partition], lsn);
CREATE INDEX order_line_by_order_id ON [order_line] ([order_id]);
CREATE TABLE [order_status] (
  [id] BINARY(16) NOT NULL CONSTRAINT [order_status_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [order_id] BINARY(16) NOT NULL,
  [at] DATETIME2(6) NULL,
  [state] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'new',
  [source] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NULL,
  [text] NVARCHAR(800) COLLATE Latin1_General_100_BIN2 NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX order_status_by_partition ON [order_status] ([partition], lsn);
CREATE INDEX order_status_by_order_id ON [order_status] ([order_id]);
CREATE TABLE [sale_invoice] (
  [id] BINARY(16) NOT NULL CONSTRAINT [sale_invoice_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [number] NVARCHAR(120) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'',
  [outlet_id] BINARY(16) NOT NULL,
  [position_id] BINARY(16) NULL,
  [warehouse_id] BINARY(16) NULL,
  [visit_id] BINARY(16) NULL,
  [fiscal_data] NVARCHAR(800) COLLATE Latin1_General_100_BIN2 NULL,
  [amount] NUMERIC(15, 2) NOT NULL DEFAULT 0.00,
  [printed_at] DATETIME2(6) NULL,
  [state] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'issued',
  [cancels_id] BINARY(16) NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX sale_invoice_by_partition ON [sale_invoice] ([partition], lsn);
CREATE INDEX sale_invoice_by_number ON [sale_invoice] ([number]);
CREATE INDEX sale_invoice_by_outlet_id ON [sale_invoice] ([outlet_id]);
CREATE TABLE [sale_invoice_line] (
  [id] BINARY(16) NOT NULL CONSTRAINT [sale_invoice_line_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [invoice_id] BINARY(16) NOT NULL,
  [line_number] BIGINT NOT NULL DEFAULT 0,
  [product_unit_id] BINARY(16) NOT NULL,
  [lot] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NULL,
  [quantity] NUMERIC(14, 3) NOT NULL DEFAULT 0.000,
  [price] NUMERIC(15, 5) NULL,
  [discount_percent] NUMERIC(7, 3) NULL,
  [amount] NUMERIC(15, 2) NOT NULL DEFAULT 0.00,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX sale_invoice_line_by_partition ON [sale_invoice_line] ([partition], lsn);
CREATE INDEX sale_invoice_line_by_invoice_id ON [sale_invoice_line] ([invoice_id]);
CREATE TABLE [shipment] (
  [id] BINARY(16) NOT NULL CONSTRAINT [shipment_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [number] NVARCHAR(120) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'',
  [order_id] BINARY(16) NULL,
  [outlet_id] BINARY(16) NOT NULL,
  [distributor_id] BINARY(16) NULL,
  [date] DATETIME NULL,
  [kind] NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'sale',
  [amount] NUMERIC(15, 2) NOT NULL DEFAULT 0.00,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX shipment_by_partition ON [shipment] ([partition], lsn);
CREATE INDEX shipment_by_number ON [shipment] ([number]);
CREATE INDEX shipment_by_outlet_id ON [shipment] ([outlet_id]);
CREATE TABLE [shipment_line] (
  [id] BINARY(16) NOT NULL CONSTRAINT [shipment_line_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [shipment_id] BINARY(16) NOT NULL,
  [line_number] BIGINT NOT NULL DEFAULT 0,
  [product_unit_id] BINARY(16) NOT NULL,
  [quantity] NUMERIC(14, 3) NOT NULL DEFAULT 0.000,
  [price] NUMERIC(15, 5) NULL,
  [amount] NUMERIC(15, 2) NOT NULL DEFAULT 0.00,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX shipment_line_by_partition ON [shipment_line] ([partition], lsn);
CREATE INDEX shipment_line_by_shipment_id ON [shipment_line] ([shipment_id]);
CREATE TABLE [goods_return] (
  [id] BINARY(16) NOT NULL CONSTRAINT [goods_return_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [number] NVARCHAR(120) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'',
  [outlet_id] BINARY(16) NOT NULL,
  [position_id] BINARY(16) NULL,
  [visit_id] BINARY(16) NULL,
  [reason] NVARCHAR(160) COLLATE Latin1_General_100_BIN2 NULL,
  [condition] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NULL,
  [basis_document] NVARCHAR(160) COLLATE Latin1_General_100_BIN2 NULL,
  [state] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'saved',
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX goods_return_by_partition ON [goods_return] ([partition], lsn);
CREATE INDEX goods_return_by_number ON [goods_return] ([number]);
CREATE INDEX goods_return_by_outlet_id ON [goods_return] ([outlet_id]);
CREATE TABLE [goods_return_line] (
  [id] BINARY(16) NOT NULL CONSTRAINT [goods_return_line_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [return_id] BINARY(16) NOT NULL,
  [line_number] BIGINT NOT NULL DEFAULT 0,
  [product_unit_id] BINARY(16) NOT NULL,
  [lot] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NULL,
  [quantity] NUMERIC(14, 3) NOT NULL DEFAULT 0.000,
  [price] NUMERIC(15, 5) NULL,
  [amount] NUMERIC(15, 2) NOT NULL DEFAULT 0.00,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX goods_return_line_by_partition ON [goods_return_line] ([partition], lsn);
CREATE INDEX goods_return_line_by_return_id ON [goods_return_line] ([return_id]);
CREATE TABLE [payment] (
  [id] BINARY(16) NOT NULL CONSTRAINT [payment_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [number] NVARCHAR(120) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'',
  [outlet_id] BINARY(16) NOT NULL,
  [position_id] BINARY(16) NULL,
  [visit_id] BINARY(16) NULL,
  [kind] NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'cash',
  [amount] NUMERIC(15, 2) NOT NULL DEFAULT 0.00,
  [allocations] NVARCHAR(max) COLLATE Latin1_General_100_BIN2 NULL,
  [cash_bag] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NULL,
  [state] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'taken',
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX payment_by_partition ON [payment] ([partition], lsn);
CREATE INDEX payment_by_number ON [payment] ([number]);
CREATE INDEX payment_by_outlet_id ON [payment] ([outlet_id]);
CREATE TABLE [survey_template] (
  [id] BINARY(16) NOT NULL CONSTRAINT [survey_template_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [code] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [name] NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NULL,
  [version] BIGINT NOT NULL DEFAULT 1,
  [target_rule] NVARCHAR(4000) COLLATE Latin1_General_100_BIN2 NULL,
  [valid_from] DATETIME NULL,
  [valid_to] DATETIME NULL,
  [status] NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'active',
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX survey_template_by_partition ON [survey_template] ([partition], lsn);
CREATE TABLE [survey_response] (
  [id] BINARY(16) NOT NULL CONSTRAINT [survey_response_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [visit_id] BINARY(16) NOT NULL,
  [template_id] BINARY(16) NOT NULL,
  [template_version] BIGINT NOT NULL DEFAULT 1,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX survey_response_by_partition ON [survey_response] ([partition], lsn);
CREATE INDEX survey_response_by_visit_id ON [survey_response] ([visit_id]);
CREATE TABLE [equipment_model] (
  [id] BINARY(16) NOT NULL CONSTRAINT [equipment_model_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [code] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [type] NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'cooler',
  [maker] NVARCHAR(160) COLLATE Latin1_General_100_BIN2 NULL,
  [doors] BIGINT NULL,
  [volume_litres] BIGINT NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX equipment_model_by_partition ON [equipment_model] ([partition], lsn);
CREATE TABLE [equipment] (
  [id] BINARY(16) NOT NULL CONSTRAINT [equipment_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [outlet_id] BINARY(16) NULL,
  [warehouse_id] BINARY(16) NULL,
  [model_id] BINARY(16) NULL,
  [inventory_number] NVARCHAR(120) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'',
  [serial_number] NVARCHAR(120) COLLATE Latin1_General_100_BIN2 NULL,
  [barcode] NVARCHAR(120) COLLATE Latin1_General_100_BIN2 NULL,
  [owner] NVARCHAR(160) COLLATE Latin1_General_100_BIN2 NULL,
  [state] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'in_stock',
  [value] NUMERIC(15, 2) NULL,
  [in_service_date] DATETIME NULL,
  [contract_reference] NVARCHAR(240) COLLATE Latin1_General_100_BIN2 NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX equipment_by_partition ON [equipment] ([partition], lsn);
CREATE INDEX equipment_by_outlet_id ON [equipment] ([outlet_id]);
CREATE INDEX equipment_by_inventory_number ON [equipment] ([inventory_number]);
CREATE INDEX equipment_by_barcode ON [equipment] ([barcode]);
CREATE TABLE [photo] (
  [id] BINARY(16) NOT NULL CONSTRAINT [photo_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [position_id] BINARY(16) NOT NULL,
  [visit_id] BINARY(16) NULL,
  [response_id] BINARY(16) NULL,
  [equipment_id] BINARY(16) NULL,
  [taken_at] DATETIME2(6) NULL,
  [latitude] NUMERIC(9, 6) NULL,
  [longitude] NUMERIC(9, 6) NULL,
  [sha256] VARBINARY(max) NOT NULL,
  [size_bytes] BIGINT NOT NULL DEFAULT 0,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX photo_by_partition ON [photo] ([partition], lsn);
CREATE INDEX photo_by_position_id ON [photo] ([position_id]);
CREATE INDEX photo_by_age ON [photo] ([partition], [created_at]);
CREATE TABLE [cash_handover] (
  [id] BINARY(16) NOT NULL CONSTRAINT [cash_handover_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [position_id] BINARY(16) NOT NULL,
  [user_id] BINARY(16) NULL,
  [amount] NUMERIC(15, 2) NOT NULL DEFAULT 0.00,
  [place] NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NULL,
  [photo_id] BINARY(16) NULL,
  [accepted_by] BINARY(16) NULL,
  [latitude] NUMERIC(9, 6) NULL,
  [longitude] NUMERIC(9, 6) NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX cash_handover_by_partition ON [cash_handover] ([partition], lsn);
CREATE INDEX cash_handover_by_position_id ON [cash_handover] ([position_id]);
CREATE INDEX cash_handover_by_age ON [cash_handover] ([partition], [created_at]);
CREATE TABLE [route] (
  [id] BINARY(16) NOT NULL CONSTRAINT [route_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [position_id] BINARY(16) NOT NULL,
  [code] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [name] NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NULL,
  [cycle_weeks] BIGINT NOT NULL DEFAULT 1,
  [week_mask] BIGINT NOT NULL DEFAULT 1,
  [weekday] BIGINT NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX route_by_partition ON [route] ([partition], lsn);
CREATE INDEX route_by_position_id ON [route] ([position_id]);
CREATE TABLE [route_outlet] (
  [id] BINARY(16) NOT NULL CONSTRAINT [route_outlet_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [route_id] BINARY(16) NOT NULL,
  [outlet_id] BINARY(16) NOT NULL,
  [sequence_number] BIGINT NOT NULL DEFAULT 0,
  [planned_minutes] BIGINT NULL,
  [time_window] NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX route_outlet_by_partition ON [route_outlet] ([partition], lsn);
CREATE INDEX route_outlet_by_route_id ON [route_outlet] ([route_id]);
CREATE TABLE [work_day] (
  [id] BINARY(16) NOT NULL CONSTRAINT [work_day_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [position_id] BINARY(16) NOT NULL,
  [user_id] BINARY(16) NULL,
  [date] DATETIME NOT NULL,
  [opened_at] DATETIME2(6) NULL,
  [closed_at] DATETIME2(6) NULL,
  [opened_latitude] NUMERIC(9, 6) NULL,
  [opened_longitude] NUMERIC(9, 6) NULL,
  [closed_latitude] NUMERIC(9, 6) NULL,
  [closed_longitude] NUMERIC(9, 6) NULL,
  [odometer_start] BIGINT NULL,
  [odometer_end] BIGINT NULL,
  [close_reason] NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX work_day_by_partition ON [work_day] ([partition], lsn);
CREATE INDEX work_day_by_position_id ON [work_day] ([position_id]);
CREATE INDEX work_day_by_age ON [work_day] ([partition], [date]);
CREATE TABLE [task] (
  [id] BINARY(16) NOT NULL CONSTRAINT [task_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [outlet_id] BINARY(16) NULL,
  [position_id] BINARY(16) NULL,
  [author_position_id] BINARY(16) NULL,
  [text] NVARCHAR(4000) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'',
  [due_date] DATETIME NULL,
  [priority] BIGINT NOT NULL DEFAULT 0,
  [kind] NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'task',
  [state] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'new',
  [needs_photo] BIT NOT NULL DEFAULT 0,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX task_by_partition ON [task] ([partition], lsn);
CREATE INDEX task_by_outlet_id ON [task] ([outlet_id]);
CREATE INDEX task_by_position_id ON [task] ([position_id]);
CREATE TABLE [message] (
  [id] BINARY(16) NOT NULL CONSTRAINT [message_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [position_id] BINARY(16) NOT NULL,
  [audience_rule] NVARCHAR(800) COLLATE Latin1_General_100_BIN2 NULL,
  [text] NVARCHAR(max) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'',
  [file_sha256] VARBINARY(max) NULL,
  [valid_from] DATETIME NULL,
  [valid_to] DATETIME NULL,
  [urgent] BIT NOT NULL DEFAULT 0,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX message_by_partition ON [message] ([partition], lsn);
CREATE INDEX message_by_position_id ON [message] ([position_id]);
CREATE INDEX message_by_age ON [message] ([partition], [created_at]);
CREATE TABLE [message_receipt] (
  [id] BINARY(16) NOT NULL CONSTRAINT [message_receipt_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [message_id] BINARY(16) NOT NULL,
  [user_id] BINARY(16) NULL,
  [read_at] DATETIME2(6) NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX message_receipt_by_partition ON [message_receipt] ([partition], lsn);
CREATE INDEX message_receipt_by_message_id ON [message_receipt] ([message_id]);
CREATE TABLE [gps_point] (
  [id] BINARY(16) NOT NULL CONSTRAINT [gps_point_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [position_id] BINARY(16) NULL,
  [user_id] BINARY(16) NULL,
  [at] DATETIME2(6) NOT NULL,
  [latitude] NUMERIC(9, 6) NULL,
  [longitude] NUMERIC(9, 6) NULL,
  [accuracy_m] BIGINT NULL,
  [speed_kmh] BIGINT NULL,
  [provider] NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NULL,
  [is_mock] BIT NOT NULL DEFAULT 0,
  [battery_percent] BIGINT NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX gps_point_by_partition ON [gps_point] ([partition], lsn);
CREATE INDEX gps_point_by_position_id ON [gps_point] ([position_id]);
CREATE TABLE [plan] (
  [id] BINARY(16) NOT NULL CONSTRAINT [plan_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [position_id] BINARY(16) NULL,
  [outlet_id] BINARY(16) NULL,
  [period] NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'',
  [kpi] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'',
  [product_dimension] NVARCHAR(160) COLLATE Latin1_General_100_BIN2 NULL,
  [value] NUMERIC(14, 3) NOT NULL DEFAULT 0.000,
  [version] BIGINT NOT NULL DEFAULT 1,
  [state] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'draft',
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX plan_by_partition ON [plan] ([partition], lsn);
CREATE INDEX plan_by_position_id ON [plan] ([position_id]);
CREATE INDEX plan_by_outlet_id ON [plan] ([outlet_id]);
CREATE TABLE [kpi_fact] (
  [id] BINARY(16) NOT NULL CONSTRAINT [kpi_fact_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [position_id] BINARY(16) NULL,
  [outlet_id] BINARY(16) NULL,
  [kpi] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'',
  [date] DATETIME NULL,
  [value] NUMERIC(14, 3) NOT NULL DEFAULT 0.000,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX kpi_fact_by_partition ON [kpi_fact] ([partition], lsn);
CREATE INDEX kpi_fact_by_position_id ON [kpi_fact] ([position_id]);
CREATE INDEX kpi_fact_by_outlet_id ON [kpi_fact] ([outlet_id]);
CREATE TABLE [van_load] (
  [id] BINARY(16) NOT NULL CONSTRAINT [van_load_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [position_id] BINARY(16) NOT NULL,
  [number] NVARCHAR(120) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'',
  [kind] NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'request',
  [from_warehouse_id] BINARY(16) NULL,
  [to_warehouse_id] BINARY(16) NULL,
  [state] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'planned',
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX van_load_by_partition ON [van_load] ([partition], lsn);
CREATE INDEX van_load_by_position_id ON [van_load] ([position_id]);
CREATE INDEX van_load_by_number ON [van_load] ([number]);
CREATE INDEX van_load_by_age ON [van_load] ([partition], [created_at]);
CREATE TABLE [van_load_line] (
  [id] BINARY(16) NOT NULL CONSTRAINT [van_load_line_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [load_id] BINARY(16) NOT NULL,
  [line_number] BIGINT NOT NULL DEFAULT 0,
  [product_unit_id] BINARY(16) NOT NULL,
  [lot] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NULL,
  [planned_quantity] NUMERIC(14, 3) NULL,
  [counted_quantity] NUMERIC(14, 3) NULL,
  [difference_reason] NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX van_load_line_by_partition ON [van_load_line] ([partition], lsn);
CREATE INDEX van_load_line_by_load_id ON [van_load_line] ([load_id]);
CREATE TABLE [van_stock_move] (
  [id] BINARY(16) NOT NULL CONSTRAINT [van_stock_move_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [position_id] BINARY(16) NOT NULL,
  [warehouse_id] BINARY(16) NOT NULL,
  [product_id] BINARY(16) NOT NULL,
  [lot] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NULL,
  [quantity] NUMERIC(14, 3) NOT NULL DEFAULT 0.000,
  [document_table] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NULL,
  [document_id] BINARY(16) NULL,
  [sequence_number] BIGINT NOT NULL DEFAULT 0,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX van_stock_move_by_partition ON [van_stock_move] ([partition], lsn);
CREATE INDEX van_stock_move_by_position_id ON [van_stock_move] ([position_id]);
CREATE INDEX van_stock_move_by_product_id ON [van_stock_move] ([product_id]);
CREATE TABLE [question] (
  [id] BINARY(16) NOT NULL CONSTRAINT [question_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [template_id] BINARY(16) NOT NULL,
  [order_number] BIGINT NOT NULL DEFAULT 0,
  [text] NVARCHAR(2000) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'',
  [type] NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'text',
  [required] BIT NOT NULL DEFAULT 0,
  [photo_rule] NVARCHAR(160) COLLATE Latin1_General_100_BIN2 NULL,
  [condition] NVARCHAR(2000) COLLATE Latin1_General_100_BIN2 NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX question_by_partition ON [question] ([partition], lsn);
CREATE INDEX question_by_template_id ON [question] ([template_id]);
CREATE TABLE [answer_option] (
  [id] BINARY(16) NOT NULL CONSTRAINT [answer_option_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [question_id] BINARY(16) NOT NULL,
  [order_number] BIGINT NOT NULL DEFAULT 0,
  [text] NVARCHAR(800) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'',
  [value] NVARCHAR(160) COLLATE Latin1_General_100_BIN2 NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX answer_option_by_partition ON [answer_option] ([partition], lsn);
CREATE INDEX answer_option_by_question_id ON [answer_option] ([question_id]);
CREATE TABLE [answer] (
  [id] BINARY(16) NOT NULL CONSTRAINT [answer_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [response_id] BINARY(16) NOT NULL,
  [question_id] BINARY(16) NOT NULL,
  [product_id] BINARY(16) NULL,
  [value] NVARCHAR(4000) COLLATE Latin1_General_100_BIN2 NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX answer_by_partition ON [answer] ([partition], lsn);
CREATE INDEX answer_by_response_id ON [answer] ([response_id]);
CREATE TABLE [shelf_fact] (
  [id] BINARY(16) NOT NULL CONSTRAINT [shelf_fact_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [visit_id] BINARY(16) NOT NULL,
  [product_id] BINARY(16) NOT NULL,
  [present] BIT NOT NULL DEFAULT 0,
  [facings] BIGINT NULL,
  [shelf_price] NUMERIC(15, 5) NULL,
  [stock_quantity] NUMERIC(14, 3) NULL,
  [out_of_stock_reason] NVARCHAR(160) COLLATE Latin1_General_100_BIN2 NULL,
  [is_competitor] BIT NOT NULL DEFAULT 0,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX shelf_fact_by_partition ON [shelf_fact] ([partition], lsn);
CREATE INDEX shelf_fact_by_visit_id ON [shelf_fact] ([visit_id]);
CREATE TABLE [equipment_placement] (
  [id] BINARY(16) NOT NULL CONSTRAINT [equipment_placement_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [equipment_id] BINARY(16) NOT NULL,
  [outlet_id] BINARY(16) NULL,
  [warehouse_id] BINARY(16) NULL,
  [placed_from] DATETIME NULL,
  [placed_to] DATETIME NULL,
  [contract_number] NVARCHAR(120) COLLATE Latin1_General_100_BIN2 NULL,
  [contract_date] DATETIME NULL,
  [contract_until] DATETIME NULL,
  [act_document] NVARCHAR(160) COLLATE Latin1_General_100_BIN2 NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX equipment_placement_by_partition ON [equipment_placement] ([partition], lsn);
CREATE INDEX equipment_placement_by_equipment_id ON [equipment_placement] ([equipment_id]);
CREATE TABLE [equipment_move] (
  [id] BINARY(16) NOT NULL CONSTRAINT [equipment_move_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [number] NVARCHAR(120) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'',
  [kind] NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'to_retail',
  [from_warehouse_id] BINARY(16) NULL,
  [to_warehouse_id] BINARY(16) NULL,
  [outlet_id] BINARY(16) NULL,
  [date] DATETIME NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX equipment_move_by_partition ON [equipment_move] ([partition], lsn);
CREATE INDEX equipment_move_by_number ON [equipment_move] ([number]);
CREATE TABLE [equipment_move_line] (
  [id] BINARY(16) NOT NULL CONSTRAINT [equipment_move_line_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [move_id] BINARY(16) NOT NULL,
  [equipment_id] BINARY(16) NOT NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX equipment_move_line_by_partition ON [equipment_move_line] ([partition], lsn);
CREATE INDEX equipment_move_line_by_move_id ON [equipment_move_line] ([move_id]);
CREATE TABLE [equipment_inspection] (
  [id] BINARY(16) NOT NULL CONSTRAINT [equipment_inspection_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [equipment_id] BINARY(16) NOT NULL,
  [visit_id] BINARY(16) NULL,
  [sighted] BIT NOT NULL DEFAULT 1,
  [condition] NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NULL,
  [temperature] NUMERIC(5, 1) NULL,
  [fill_percent] NUMERIC(7, 3) NULL,
  [purity_percent] NUMERIC(7, 3) NULL,
  [photo_id] BINARY(16) NULL,
  [latitude] NUMERIC(9, 6) NULL,
  [longitude] NUMERIC(9, 6) NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX equipment_inspection_by_partition ON [equipment_inspection] ([partition], lsn);
CREATE INDEX equipment_inspection_by_equipment_id ON [equipment_inspection] ([equipment_id]);
CREATE TABLE [service_request] (
  [id] BINARY(16) NOT NULL CONSTRAINT [service_request_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [number] NVARCHAR(120) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'',
  [equipment_id] BINARY(16) NULL,
  [outlet_id] BINARY(16) NOT NULL,
  [fault_code] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NULL,
  [description] NVARCHAR(2000) COLLATE Latin1_General_100_BIN2 NULL,
  [priority] BIGINT NOT NULL DEFAULT 0,
  [due_at] DATETIME2(6) NULL,
  [author_position_id] BINARY(16) NULL,
  [state] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'new',
  [centre_id] BINARY(16) NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX service_request_by_partition ON [service_request] ([partition], lsn);
CREATE INDEX service_request_by_number ON [service_request] ([number]);
CREATE INDEX service_request_by_outlet_id ON [service_request] ([outlet_id]);
CREATE TABLE [service_work] (
  [id] BINARY(16) NOT NULL CONSTRAINT [service_work_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [request_id] BINARY(16) NOT NULL,
  [position_id] BINARY(16) NULL,
  [started_at] DATETIME2(6) NULL,
  [finished_at] DATETIME2(6) NULL,
  [works] NVARCHAR(4000) COLLATE Latin1_General_100_BIN2 NULL,
  [result] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NULL,
  [signature_photo_id] BINARY(16) NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX service_work_by_partition ON [service_work] ([partition], lsn);
CREATE INDEX service_work_by_request_id ON [service_work] ([request_id]);
CREATE TABLE [service_part] (
  [id] BINARY(16) NOT NULL CONSTRAINT [service_part_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [work_id] BINARY(16) NOT NULL,
  [part_code] NVARCHAR(120) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'',
  [quantity] NUMERIC(14, 3) NOT NULL DEFAULT 0.000,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX service_part_by_partition ON [service_part] ([partition], lsn);
CREATE INDEX service_part_by_work_id ON [service_part] ([work_id]);
CREATE TABLE [device_tick] (
  [id] BINARY(16) NOT NULL CONSTRAINT [device_tick_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [device_id] BINARY(16) NOT NULL,
  [device_epoch] BIGINT NOT NULL DEFAULT 0,
  [sequence] BIGINT NOT NULL DEFAULT 0,
  [proof] VARBINARY(max) NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX device_tick_by_partition ON [device_tick] ([partition], lsn);
CREATE INDEX device_tick_by_device_id ON [device_tick] ([device_id]);
CREATE TABLE [reject] (
  [id] BINARY(16) NOT NULL CONSTRAINT [reject_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [device_id] BINARY(16) NOT NULL,
  [device_epoch] BIGINT NOT NULL DEFAULT 0,
  [sequence] BIGINT NOT NULL DEFAULT 0,
  [table_name] NVARCHAR(126) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'',
  [row_id] BINARY(16) NOT NULL,
  [code] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [text] NVARCHAR(2000) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'',
  [fields] NVARCHAR(max) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'{}',
  [row] NVARCHAR(max) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'{}',
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX reject_by_partition ON [reject] ([partition], lsn);
CREATE INDEX reject_by_device_id ON [reject] ([device_id]);
CREATE INDEX reject_by_age ON [reject] ([partition], [created_at]);
CREATE TABLE [sync_session] (
  [id] BINARY(16) NOT NULL CONSTRAINT [sync_session_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [session_id] BINARY(16) NOT NULL,
  [tier] NVARCHAR(20) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'gateway',
  [device_id] BINARY(16) NULL,
  [gateway_id] BINARY(16) NULL,
  [user_id] BINARY(16) NULL,
  [mode] NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'',
  [started_at] DATETIME2(6) NULL,
  [ended_at] DATETIME2(6) NULL,
  [clock_skew_us] BIGINT NULL,
  [rows_up] BIGINT NULL,
  [rows_down] BIGINT NULL,
  [bytes_up] BIGINT NULL,
  [bytes_down] BIGINT NULL,
  [outcome] NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'',
  [problem] NVARCHAR(120) COLLATE Latin1_General_100_BIN2 NULL,
  [app_version] NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
  [network] NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NULL,
  [resumed] BIGINT NOT NULL DEFAULT 0,
  [latitude] NUMERIC(9, 6) NULL,
  [longitude] NUMERIC(9, 6) NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX sync_session_by_partition ON [sync_session] ([partition], lsn);
CREATE INDEX sync_session_by_session_id ON [sync_session] ([session_id]);
CREATE INDEX sync_session_by_device_id ON [sync_session] ([device_id]);
CREATE TABLE [audit_log] (
  [id] BINARY(16) NOT NULL CONSTRAINT [audit_log_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [at] DATETIME2(6) NOT NULL,
  [actor] NVARCHAR(240) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'',
  [action] NVARCHAR(160) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'',
  [entity] NVARCHAR(126) COLLATE Latin1_General_100_BIN2 NULL,
  [entity_id] BINARY(16) NULL,
  [before] NVARCHAR(max) COLLATE Latin1_General_100_BIN2 NULL,
  [after] NVARCHAR(max) COLLATE Latin1_General_100_BIN2 NULL,
  [origin] NVARCHAR(240) COLLATE Latin1_General_100_BIN2 NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX audit_log_by_partition ON [audit_log] ([partition], lsn);
CREATE TABLE [exchange_message] (
  [id] BINARY(16) NOT NULL CONSTRAINT [exchange_message_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [gateway_id] BINARY(16) NULL,
  [direction] NVARCHAR(20) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'in',
  [document_type] NVARCHAR(120) COLLATE Latin1_General_100_BIN2 NULL,
  [document_id] BINARY(16) NULL,
  [file_name] NVARCHAR(800) COLLATE Latin1_General_100_BIN2 NULL,
  [sha256] VARBINARY(max) NULL,
  [state] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'built',
  [attempts] BIGINT NOT NULL DEFAULT 0,
  [acknowledgement] NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NULL,
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX exchange_message_by_partition ON [exchange_message] ([partition], lsn);
CREATE TABLE [exchange_error] (
  [id] BINARY(16) NOT NULL CONSTRAINT [exchange_error_key] PRIMARY KEY,
  [created_at] DATETIME2(6) NOT NULL,
  [changed_at] DATETIME2(6) NOT NULL,
  [partition] BIGINT NOT NULL DEFAULT 0,
  [lsn] BIGINT NOT NULL DEFAULT 0,
  [row_hash] BIGINT NOT NULL DEFAULT 0,
  [message_id] BINARY(16) NOT NULL,
  [place] NVARCHAR(800) COLLATE Latin1_General_100_BIN2 NULL,
  [code] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [severity] NVARCHAR(20) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'error',
  [text] NVARCHAR(2000) COLLATE Latin1_General_100_BIN2 NULL,
  [state] NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT N'open',
  [origin_device_id] BINARY(16) NULL,
  [received_at] DATETIME2(6) NULL,
  [deleted] BIT NOT NULL DEFAULT 0
);
CREATE INDEX exchange_error_by_partition ON [exchange_error] ([partition], lsn);
CREATE INDEX exchange_error_by_message_id ON [exchange_error] ([message_id]);
