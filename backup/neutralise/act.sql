
-- It cannot act. -----------------------------------------------------------------------------------------

do $$
declare
	name text;
begin
	-- Live logins, push devices, secrets that are the same as production's, what is due, who else listens.
	foreach name in array array[
		'sessions', 'useraccesstokens', 'tokens', 'desktoptokens',
		'oauthapps', 'oauthauthdata', 'oauthaccessdata', 'outgoingoauthconnections',
		'incomingwebhooks', 'outgoingwebhooks', 'commands', 'commandwebhooks',
		'scheduledposts', 'postreminders', 'persistentnotifications', 'notifyadmin',
		'remoteclusters', 'sharedchannels', 'sharedchannelremotes', 'sharedchannelusers',
		'sharedchannelattachments', 'clusterdiscovery', 'pluginkeyvaluestore']
	loop
		perform pg_temp.ark_each(name, '{}', 'delete from %1$I.' || quote_ident(name));
	end loop;
	perform pg_temp.ark_each('preferences', '{category}',
		$sql$delete from %1$I.preferences where category = 'oauth_app'$sql$);
	perform pg_temp.ark_each('channels', '{shared}',
		'update %1$I.channels set shared = false where shared');

	-- A server that starts takes up what is pending.
	perform pg_temp.ark_each('jobs', '{status}', $sql$update %1$I.jobs set status = 'canceled'
		where status in ('pending', 'in_progress', 'cancel_requested')$sql$);

	-- Buttons and menus of a message make the server call their address, whatever the configuration says.
	perform pg_temp.ark_each('posts', '{props}', $sql$
		update %1$I.posts p set props = jsonb_set(props, '{attachments}', (
			select jsonb_agg(case when jsonb_typeof(a) = 'object' then a - 'actions' else a end order by n)
			from jsonb_array_elements(p.props -> 'attachments') with ordinality as x (a, n)))
		where case when jsonb_typeof(props -> 'attachments') = 'array' then
			exists (select from jsonb_array_elements(p.props -> 'attachments') as a
				where jsonb_typeof(a) = 'object' and a ? 'actions') end$sql$);

	-- Identities: the server makes new ones.
	perform pg_temp.ark_each('systems', '{name,value}', $sql$delete from %1$I.systems where name in
		('PushProxyAuthToken', 'AsymmetricSigningKey', 'PostActionCookieSecret', 'ClusterEncryptionKey')$sql$);
	if pg_temp.ark_setting('keep_licence') <> 'on' then
		perform pg_temp.ark_each('systems', '{name,value}',
			$sql$delete from %1$I.systems where name = 'ActiveLicenseId'$sql$);
		perform pg_temp.ark_each('licenses', '{}', 'delete from %1$I.licenses');
	end if;
end $$;
