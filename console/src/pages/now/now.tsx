export function Now() { return <div class="page">Now</div>; }
