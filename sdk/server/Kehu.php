<?php
/**
 * Sends events to Kehu with nothing but PHP (7.4 or newer).
 *
 *   $kehu = new Kehu('https://kehu.example.com', 'WRITE_KEY');
 *   $kehu->send([['event' => 'Order Completed', 'user_id' => 'u1', 'properties' => ['total' => 99.5]]]);
 */
final class Kehu
{
    private string $address;
    private string $authorization;
    private int $tries;

    public function __construct(string $url, string $writeKey, int $tries = 8)
    {
        $this->address = rtrim($url, '/') . '/api/v1/events';
        $this->authorization = 'Basic ' . base64_encode($writeKey . ':');
        $this->tries = $tries;
    }

    /**
     * Up to 100 MB at once; the answer counts what was accepted. Tried again after 429, 5xx and lost connections: each
     * event has a message id before the first try, so it counts once.
     */
    public function send(array $events): array
    {
        $lines = '';
        foreach ($events as $event) {
            $event += ['message_id' => bin2hex(random_bytes(16)), 'time' => (int) (microtime(true) * 1000)];
            $lines .= json_encode($event, JSON_UNESCAPED_UNICODE | JSON_THROW_ON_ERROR) . "\n";
        }
        $context = stream_context_create(['http' => [
            'method' => 'POST',
            'header' => ["Authorization: {$this->authorization}", 'Content-Type: application/x-ndjson'],
            'content' => $lines,
            'ignore_errors' => true,
            'timeout' => 30,
        ]]);
        for ($attempt = 0; ; $attempt++) {
            $http_response_header = [];
            $answer = @file_get_contents($this->address, false, $context);
            $headers = implode("\n", $http_response_header);
            $status = preg_match('#^HTTP/\S+ (\d+)#', $headers, $found) ? (int) $found[1] : 0;
            if ($answer !== false && $status === 200) {
                return json_decode($answer, true);
            }
            $final = $status !== 0 && $status !== 429 && $status < 500;
            if ($final || $attempt + 1 === $this->tries) {
                throw new RuntimeException("Kehu: $status $answer");
            }
            $asked = preg_match('/^Retry-After: (\d+)/mi', $headers, $found) ? (int) $found[1] : 0;
            usleep((int) (1e6 * ($asked ?: min(60, 0.5 * 2 ** $attempt))));
        }
    }
}
