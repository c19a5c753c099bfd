<?php
// The login form starts with the server that ADMINER_DEFAULT_SERVER names, as in the official image.
function adminer_object()
{
    class StandIn extends Adminer
    {
        function loginFormField($name, $heading, $value)
        {
            if ($name == 'server' && !isset($_GET['username'])) {
                $server = getenv('ADMINER_DEFAULT_SERVER') ?: 'db';
                $value = preg_replace('~value="[^"]*"~', 'value="' . htmlspecialchars($server) . '"', $value, 1);
            }
            return parent::loginFormField($name, $heading, $value);
        }
    }
    return new StandIn();
}
include '/usr/share/adminer/adminer.php';
